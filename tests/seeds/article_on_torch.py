"""The LightModel article from its data to "shell off", on PyTorch: ``python -m tests.seeds.article_on_torch FOLDER``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import genokeras as gk
from tests.seeds.torch_resumed import as_by_hand, continued_alike

# number of samples
n_positive, n_negative = 2000, 2000


def two_rings():
    # positive samples
    r_p = 5.0 + torch.normal(0.0, 1.0, size=[n_positive, 1])
    theta_p = 2 * np.pi * torch.rand([n_positive, 1])
    Xp = torch.cat([r_p * torch.cos(theta_p), r_p * torch.sin(theta_p)], axis=1)
    Yp = torch.ones_like(r_p)
    # negative samples
    r_n = 8.0 + torch.normal(0.0, 1.0, size=[n_negative, 1])
    theta_n = 2 * np.pi * torch.rand([n_negative, 1])
    Xn = torch.cat([r_n * torch.cos(theta_n), r_n * torch.sin(theta_n)], axis=1)
    Yn = torch.zeros_like(r_n)
    return torch.cat([Xp, Xn], axis=0), torch.cat([Yp, Yn], axis=0)


# define the network like torch
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(2, 6)
        self.fc2 = nn.Linear(6, 12)
        self.fc3 = nn.Linear(12, 1)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        y = nn.Sigmoid()(self.fc3(x))
        return y


class Model(gk.LightModel):
    def shared_step(self, batch):
        x, y = batch
        prediction = self(x)
        loss = nn.BCELoss()(prediction, y)
        preds = torch.where(prediction > 0.5, torch.ones_like(prediction), torch.zeros_like(prediction))
        acc = (preds == y).float().mean()
        # attention: there must be a key of "loss" in the returned dict
        dic = {"loss": loss, "acc": acc}
        return dic

    # optimizer, and optional lr_scheduler
    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=1e-2)
        lr_scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=10, gamma=0.0001)
        return {"optimizer": optimizer, "lr_scheduler": lr_scheduler}


def predict(model, dl):
    model.eval()
    result = torch.cat([model.forward(t[0].to(model.device)) for t in dl])
    return result.data


def main(folder: str) -> None:
    os.chdir(folder)
    torch.manual_seed(0)
    X, Y = two_rings()
    # split samples into train and valid data.
    ds = TensorDataset(X, Y)
    ds_train, ds_valid = torch.utils.data.random_split(ds, [int(len(ds) * 0.7), len(ds) - int(len(ds) * 0.7)])
    dl_train = DataLoader(ds_train, batch_size=100, shuffle=True)
    dl_valid = DataLoader(ds_valid, batch_size=100)

    gk.seed_everything(123)
    # we wrap the network into a Model
    net = Net()
    model = Model(net)
    gk.summary(model, input_shape=(2,))

    ckpt_callback = gk.ModelCheckpoint(monitor="val_loss", save_top_k=1, mode="min")
    trainer = gk.Trainer(max_epochs=10, gpus=0, callbacks=[ckpt_callback])
    trainer.fit(model, dl_train, dl_valid)

    Xp_pred = X[torch.squeeze(model.forward(X) >= 0.5)]
    Xn_pred = X[torch.squeeze(model.forward(X) < 0.5)]
    assert len(Xp_pred) + len(Xn_pred) == 4000

    dfhistory = pd.DataFrame(model.history)
    results = trainer.test(model, test_dataloaders=dl_valid, verbose=False)
    result = predict(model, dl_valid)

    model_clone = Model.load_from_checkpoint(trainer.checkpoint_callback.best_model_path)
    trainer_clone = gk.Trainer(max_epochs=10)
    results_clone = trainer_clone.test(model_clone, test_dataloaders=dl_valid, verbose=False)

    best_net = model.net
    torch.save(best_net.state_dict(), "best_net.pt")
    net_clone = Net()
    net_clone.load_state_dict(torch.load("best_net.pt"))
    data, _ = next(iter(dl_valid))
    with torch.no_grad():
        preds = model(data)
        preds_clone = net_clone(data)

    found = {
        "columns": list(dfhistory),
        "epochs": len(dfhistory),
        "best": trainer.checkpoint_callback.best_model_score,
        "lowest": float(dfhistory["val_loss"].min()),
        "test": results[0],
        "clone": results_clone[0],
        "predicted": list(result.shape),
        "shell_off": bool(torch.equal(preds, preds_clone)),
        "type": type(model.net).__name__,
    }
    alike, rates = continued_alike(Path(folder))
    found |= {"continued": alike, "rates": rates, "by_hand": as_by_hand(Path(folder))}
    Path("found.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
