"""The few figures that are followed on validation rows while a model is trained."""

import numpy as np


def scores(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Score probabilities against classes.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
    probabilities : ndarray of float, shape (n_rows, n_classes)

    Returns
    -------
    dict
        ``val_loss`` (mean cross-entropy, nats), ``val_accuracy``, ``val_auc`` (macro, one against
        rest; nan where a class is absent), ``val_f1`` (of the second class when there are two,
        else macro).
    """
    from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

    of_class = probabilities[np.arange(len(labels)), labels]
    predicted = probabilities.argmax(axis=1)
    n_classes = probabilities.shape[1]
    auc = float("nan")
    if len(np.unique(labels)) == n_classes:
        score = probabilities[:, 1] if n_classes == 2 else probabilities
        auc = roc_auc_score(labels, score, multi_class="ovr")
    f1 = f1_score(labels, predicted, average="binary" if n_classes == 2 else "macro")
    return {
        "val_loss": float(-np.log(np.maximum(of_class, 1e-12)).mean()),
        "val_accuracy": float(accuracy_score(labels, predicted)),
        "val_auc": float(auc),
        "val_f1": float(f1),
    }
