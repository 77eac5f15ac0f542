"""Naive Bayes on disaster tweets: a plain scikit-learn script, from the archive to its figures.

Usage: ``python -m benchmarks.notebook_way.bayes ARCHIVE``.
"""

import json
import sys
import zipfile

import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, classification_report, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline


def main() -> None:
    """Split, fit, predict and print."""
    with zipfile.ZipFile(sys.argv[1]) as archive, archive.open("train.csv") as file:
        frame = pd.read_csv(file)
    train, test = train_test_split(frame, test_size=0.1, stratify=frame["target"], random_state=0)
    model = make_pipeline(TfidfVectorizer(), MultinomialNB())
    model.fit(train["text"], train["target"])
    probabilities = model.predict_proba(test["text"])[:, 1]
    predicted = (probabilities > 0.5).astype(int)
    report = classification_report(test["target"], predicted, output_dict=True)
    auc = roc_auc_score(test["target"], probabilities)
    accuracy = accuracy_score(test["target"], predicted)
    print(json.dumps({"accuracy": accuracy, "auc": auc, "report": report}))


if __name__ == "__main__":
    main()
