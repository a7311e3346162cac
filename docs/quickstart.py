import genokeras as gk
from genokeras.explain import marker_table

patients = "examples/data/golub_leukemia.tsv.gz"  # 72 patients, 7,129 genes, and a column called label
clf = gk.GenomeClassifier(path="runs/leukemia", random_state=0).fit(patients, "label", time_limit=60)
for name, score in clf.estimate_["also"].items():
    low, high = score["interval"]
    print(f"{name:<17} {score['value']:.3f} ({low:.3f} to {high:.3f}), linear {score['linear_baseline']:.3f}")
markers = marker_table(clf.explain(patients))["AML"]
print(markers[["rank", "gene", "direction"]].head(3).to_string(index=False))
print(clf.predict_proba(patients)[:2].round(3), clf.classes_)
clf.report("report.html")  # one page to send on
clf.export_keras_model("leukemia.keras")  # plain Keras: raw genes in, probabilities out
