"""Labels from control cells onto stimulated ones: train on one condition, annotate the other, look at what is uncertain or new.

    python examples/annotate_cells.py [FOLDER [TRIALS]]

The cells are made up after Kang et al. (2018, Nature Biotechnology 36: 89-94): blood cells of eight donors, half of each stimulated by
interferon beta, which raises the same genes in all types, in monocytes most, and hides some of the markers by which these are known. A few
stimulated cells are of a type that the control cells lack. It needs ``pip install "genokeras[single-cell]"``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import anndata
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.metrics import balanced_accuracy_score

import genokeras as gk

TYPES = {
    "B": ["CD79A", "MS4A1", "CD74", "HLA-DRA"],
    "CD4 T": ["CD3D", "IL7R", "CCR7", "LDHB"],
    "CD8 T": ["CD3D", "CD8A", "GZMK", "CCL5"],
    "CD14 monocyte": ["CD14", "LYZ", "S100A8", "FCN1"],
    "FCGR3A monocyte": ["FCGR3A", "LYZ", "MS4A7", "FCN1"],
    "Dendritic": ["FCER1A", "HLA-DRA", "CD74", "CST3"],
    "NK": ["GNLY", "NKG7", "CCL5", "KLRD1"],
}
NEW = {"Megakaryocyte": ["PPBP", "PF4", "GP9", "TUBB1"]}
INTERFERON = [
    "ISG15",
    "ISG20",
    "IFI6",
    "IFIT1",
    "IFIT2",
    "IFIT3",
    "MX1",
    "LY6E",
    "OAS1",
    "IRF7",
    "CXCL10",
    "TNFSF10",
]
HIDDEN = ["CD14", "S100A8", "FCN1", "LYZ", "CD74"]


def made_up(stimulated: bool, n: int, seed: int) -> anndata.AnnData:
    """``n`` cells of four donors, counts of 300 genes; of the stimulated ones 3 % are of a type that is new."""
    rng = np.random.default_rng(seed)
    known = {**TYPES, **NEW}
    markers = sorted({gene for genes in known.values() for gene in genes})
    genes = [*markers, *INTERFERON, *(f"GENE{i}" for i in range(300 - len(markers) - len(INTERFERON)))]
    # The same everywhere: how much there is of each gene.
    level = dict(zip(genes, np.random.default_rng(1).gamma(0.6, 1.2, len(genes)) + 0.1, strict=True))
    shares = np.array([0.14, 0.3, 0.12, 0.2, 0.08, 0.04, 0.09, 0.03 if stimulated else 0.0])
    types = rng.choice(list(known), n, p=shares / shares.sum())
    donors = rng.choice([f"donor{i}" for i in range(8)], n)
    rate = np.tile([level[gene] for gene in genes], (n, 1))
    for kind, own in known.items():
        rate[np.ix_(types == kind, [genes.index(gene) for gene in own])] += 12.0 if kind in NEW else 7.0
    for donor in np.unique(donors):
        rate[donors == donor] *= np.exp(np.random.default_rng(int(donor[-1])).normal(0, 0.2, len(genes)))
    if stimulated:
        strength = np.where(np.char.find(types.astype(str), "monocyte") >= 0, 5.0, 2.0)[:, None]
        rate[:, [genes.index(gene) for gene in INTERFERON]] += strength * rng.gamma(4, 0.25, (n, 1))
        rate[:, [genes.index(gene) for gene in HIDDEN]] *= 0.5
    depth = rng.lognormal(0, 0.35, (n, 1))
    counts = rng.poisson(rate * depth).astype("float32")
    name = "stimulated" if stimulated else "control"
    obs = pd.DataFrame(
        {"cell_type": pd.Categorical(types), "donor": donors}, index=[f"{name}{i}" for i in range(n)]
    )
    return anndata.AnnData(counts, obs=obs, var=pd.DataFrame(index=genes))


def draw(cells: anndata.AnnData, path: Path) -> None:
    """The layer before the output in two dimensions: the labels given, and how sure they are."""
    places = PCA(2, random_state=0).fit_transform(cells.obsm["X_genokeras"])
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    for kind in cells.obs["genokeras"].cat.categories:
        mine = (cells.obs["genokeras"] == kind).to_numpy()
        left.scatter(*places[mine].T, s=7, label=kind)
    new = cells.obs["genokeras_novel"].to_numpy()
    left.scatter(
        *places[new].T, s=36, facecolors="none", edgecolors="black", linewidths=0.7, label="called novel"
    )
    left.legend(fontsize=8, markerscale=1.5, frameon=False)
    left.set_title("labels given to stimulated cells")
    shown = right.scatter(
        *places.T, s=7, c=cells.obs["genokeras_confidence"], cmap="viridis", vmin=0.2, vmax=1
    )
    figure.colorbar(shown, ax=right, label="probability of the label")
    right.set_title("how sure they are")
    for axes in (left, right):
        axes.set(xticks=[], yticks=[], xlabel="component 1", ylabel="component 2")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    trials = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    control, stimulated = made_up(False, 500, seed=2), made_up(True, 500, seed=3)

    # A number of trials, and no time limit: it comes out alike on every machine.
    clf = gk.GenomeClassifier(
        folder / "control", time_limit=None, max_trials=trials, random_state=0, verbose=0
    )
    clf.fit(control, "cell_type", groups="donor")
    expected = clf.estimate_["also"]["balanced_accuracy"]["value"]

    # With groups a false alarm is one of a new donor: eight donors allow no rate below one in nine.
    clf.annotate(stimulated, false_alarms=0.12)
    truth, label = stimulated.obs["cell_type"].astype(str), stimulated.obs["genokeras"].astype(str)
    old = truth.isin(TYPES)
    found = balanced_accuracy_score(truth[old], label[old])
    print(
        f"balanced accuracy: {expected:.2f} expected on new donors like these, {found:.2f} on stimulated cells"
    )
    sure = stimulated.obs["genokeras_confidence"] > 0.8
    print(
        f"{sure[old].mean():.0%} of these are more than 80 % sure, and {(truth == label)[old & sure].mean():.1%} of them right"
    )
    novel = stimulated.obs["genokeras_novel"]
    print(
        f"called novel: {novel[old].mean():.0%} of known types, {novel[~old].mean():.0%} of the {(~old).sum()} cells of the new type"
    )
    markers = stimulated.uns["genokeras"]["markers"].query("direction == 'up'")
    for kind, genes in markers.groupby("class")["gene"]:
        print(f"{kind}: {', '.join(genes.head(4))}")
    draw(stimulated, folder / "annotated.png")
    stimulated.write_h5ad(folder / "annotated.h5ad")
    print(f"{folder / 'annotated.png'} and annotated.h5ad")


if __name__ == "__main__":
    main()
