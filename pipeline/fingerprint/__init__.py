"""Fingerprints of code, which tell whether what makes an artifact changed since."""

from pipeline.fingerprint.reader import Code, Reader, changed_parts, entries_of, figures_of

__all__ = ["Code", "Reader", "changed_parts", "entries_of", "figures_of"]
