"""Errors of the form of luigi.cfg; imported without Luigi, which reads the file when imported."""

import configparser

from pipeline.errors import ConfigFileError


def unreadable(error: Exception) -> ConfigFileError:
    """Return the error of a file that is not a valid luigi.cfg."""
    match error:
        case configparser.MissingSectionHeaderError():
            problem = f"is before the first section: {error.line.strip()}; write [RunAll] above it."
            if error.line.startswith("\ufeff"):
                problem = "begins with a byte order mark; save the file as UTF-8 without it."
            return ConfigFileError(f"{error.source}, line {error.lineno}, {problem}")
        case configparser.DuplicateOptionError():
            return ConfigFileError(
                f"{error.source}, line {error.lineno}, sets {error.option} in section "
                f"[{error.section}] again; remove one of the two lines."
            )
        case configparser.DuplicateSectionError():
            return ConfigFileError(
                f"{error.source}, line {error.lineno}, begins section [{error.section}] again; "
                "put the lines of both below one heading."
            )
        case configparser.ParsingError():
            line, content = error.errors[0]
            return ConfigFileError(
                f"{error.source}, line {line}, cannot be read: {content}; write key = value."
            )
        case configparser.InterpolationError():
            return ConfigFileError(
                f"section [{error.section}] of luigi.cfg: the value of {error.option} is not "
                "allowed; write %% for a percent sign, and ${NAME} only for a variable of the "
                "environment that exists."
            )
        case UnicodeDecodeError():
            return ConfigFileError(
                f"luigi.cfg is not {error.encoding}: byte 0x{error.object[error.start]:02x} at "
                f"position {error.start}; save it as UTF-8."
            )
    return ConfigFileError(f"luigi.cfg cannot be read: {' '.join(str(error).split())}")
