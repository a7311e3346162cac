"""A PyTorch net with running statistics and a momentum: stopped, and continued."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

import genokeras as gk

X = torch.randn(48, 3, generator=torch.Generator().manual_seed(0))
ROWS = (X.numpy(), X.sum(1, keepdim=True).numpy())


class Step(gk.LightModel):
    def shared_step(self, batch):
        x, y = batch
        return {"loss": nn.functional.mse_loss(self(x), y)}

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)
        return {
            "optimizer": optimizer,
            "lr_scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5),
        }


def made():
    torch.manual_seed(1)
    return Step(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)))


def continued_alike(folder: Path) -> tuple[bool, list[float]]:
    """Whether 1 + 3 epochs give the weights of 4, and the learning rates."""
    whole, part, rest = made(), made(), made()
    options = {"patience": None, "plot": False, "verbose": 0, "batch_size": 16, "monitor": "loss"}
    whole.fit(ROWS, epochs=4, ckpt_path=folder / "whole.ckpt", **options)
    part.fit(ROWS, epochs=1, ckpt_path=folder / "part.ckpt", **options)
    rest.fit(ROWS, epochs=4, ckpt_path=folder / "part.ckpt", **options)
    one, other = whole.net.state_dict(), rest.net.state_dict()
    return all(torch.equal(one[name], other[name]) for name in one), list(rest.history["learning_rate"])


def as_by_hand(folder: Path) -> bool:
    """Whether a step by LightModel is a step by PyTorch alone."""
    light, plain = made(), made().net
    optimizer = torch.optim.SGD(plain.parameters(), lr=0.1, momentum=0.9)
    for _ in range(3):
        optimizer.zero_grad()
        nn.functional.mse_loss(plain(torch.tensor(ROWS[0])), torch.tensor(ROWS[1])).backward()
        optimizer.step()
        for group in optimizer.param_groups:
            group["lr"] *= 0.5
    light.fit(
        ROWS,
        epochs=3,
        ckpt_path=folder / "hand.ckpt",
        patience=None,
        plot=False,
        verbose=0,
        batch_size=48,
        monitor="loss",
        save_top_k=-1,
    )
    last = Step.load_from_checkpoint(folder / "hand-epoch=03.ckpt", net=made().net).net.state_dict()
    return all(torch.allclose(last[name], value, atol=1e-6) for name, value in plain.state_dict().items())
