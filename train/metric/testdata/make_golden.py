"""Writes golden.json: outputs, labels and targets, and what scikit-learn and the
formulas below say of them.

    pip install numpy scikit-learn
    python3 make_golden.py > golden.json
"""

import json

import numpy as np
from sklearn import metrics as m

rng = np.random.default_rng(20240611)


def floats(a):
    return [float(x) for x in np.asarray(a, np.float32).ravel()]


def classify(n, classes):
    labels = rng.integers(0, classes, n)
    logits = rng.normal(0, 1.5, (n, classes)).astype(np.float32)
    logits[np.arange(n), labels] += 1.5
    logits = (np.round(4 * logits) / 4).astype(np.float32)  # ties that no rounding undoes
    # the lower of two equal logits wins, which argmax of a stable order does too
    predicted = logits.argmax(1)
    x = logits.astype(np.float64)
    p = np.exp(x - x.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    onehot = np.eye(classes)[labels]
    order = np.argsort(-x, axis=1, kind="stable")
    confidence, right = p.max(1), predicted == labels
    edges = np.linspace(0, 1, 16)
    ece, mce = 0.0, 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            gap = abs(confidence[inside].mean() - right[inside].mean())
            ece += inside.mean() * gap
            mce = max(mce, gap)
    args = dict(zero_division=0)
    each = m.precision_recall_fscore_support(labels, predicted, labels=range(classes), **args)
    if classes == 2:
        auc = m.roc_auc_score(labels, p[:, 1])
    else:
        auc = np.mean([m.roc_auc_score(labels == c, p[:, c]) for c in range(classes)])
    figures = {
        "top1": 100 * m.accuracy_score(labels, predicted),
        "top5": 100 * np.mean([l in o[:5] for l, o in zip(labels, order)]),
        "loss": m.log_loss(labels, p, labels=range(classes)),
        "f1": 100 * m.f1_score(labels, predicted, average="macro", **args),
        "precision": 100 * m.precision_score(labels, predicted, average="macro", **args),
        "recall": 100 * m.recall_score(labels, predicted, average="macro", **args),
        "f1_weighted": 100 * m.f1_score(labels, predicted, average="weighted", **args),
        "precision_weighted": 100 * m.precision_score(labels, predicted, average="weighted", **args),
        "balanced_accuracy": 100 * m.balanced_accuracy_score(labels, predicted),
        "ece": 100 * ece,
        "mce": 100 * mce,
        "brier": ((p - onehot) ** 2).sum(1).mean(),
        "auc": 100 * auc,
    }
    scores = {name: [100 * float(v) for v in each[i]] for i, name in enumerate(["precision", "recall", "f1"])}
    return {"task": "classify", "classes": classes, "outputs": floats(logits), "labels": labels.tolist(),
            "figures": figures, "scores": scores, "confusion": m.confusion_matrix(labels, predicted, labels=range(classes)).tolist()}


def multi_label(n, classes):
    there = rng.random((n, classes)) < np.linspace(0.1, 0.6, classes)
    logits = np.round(rng.normal(-0.8, 1.2, (n, classes)) + 1.6 * there, 1).astype(np.float32)
    x = logits.astype(np.float64)
    predicted = x > 0
    ap = [m.average_precision_score(there[:, c], x[:, c]) for c in range(classes)]
    bce = np.logaddexp(0, x) - x * there
    each = m.precision_recall_fscore_support(there, predicted, zero_division=0)
    figures = {
        "loss": bce.mean(),
        "map": 100 * np.mean(ap),
        "f1": 100 * m.f1_score(there, predicted, average="macro", zero_division=0),
        "f1_micro": 100 * m.f1_score(there, predicted, average="micro", zero_division=0),
        "exact_match": 100 * m.accuracy_score(there, predicted),
    }
    scores = {name: [100 * float(v) for v in each[i]] for i, name in enumerate(["precision", "recall", "f1"])}
    scores["ap"] = [100 * float(v) for v in ap]
    return {"task": "multi_label", "classes": classes, "outputs": floats(logits), "targets": floats(there), "figures": figures, "scores": scores}


def regress(n, outputs):
    y = (rng.normal(0, 1, (n, outputs)) * [1, 20, 0.1] + [1000, -3, 0]).astype(np.float32)
    x = (y + rng.normal(0, 0.5, (n, outputs)) * [1, 20, 0.1]).astype(np.float32)
    a, b = y.astype(np.float64), x.astype(np.float64)
    each = {
        "r2": m.r2_score(a, b, multioutput="raw_values").tolist(),
        "mae": m.mean_absolute_error(a, b, multioutput="raw_values").tolist(),
        "rmse": np.sqrt(m.mean_squared_error(a, b, multioutput="raw_values")).tolist(),
    }
    figures = {name: float(np.mean(v)) for name, v in each.items()} | {"loss": m.mean_squared_error(a, b)}
    return {"task": "regress", "classes": outputs, "outputs": floats(x), "targets": floats(y), "figures": figures, "scores": each}


cases = {
    "ten classes": classify(120, 10),
    "two classes": classify(60, 2),
    "labels": multi_label(80, 5),
    "numbers": regress(50, 3),
}
print(json.dumps(cases, default=float))
