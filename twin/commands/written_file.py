"""Files a command is asked to write: refused in words, before any work, where they cannot be."""

from __future__ import annotations

from pathlib import Path

from twin.errors import SettingsError

_NEXT = "Name a file in a folder that exists and may be written to"


def check_folder(option: str, file: Path) -> None:
    """Raises SettingsError where the file's folder is not there, or the file is a folder."""
    if file.is_dir():
        raise SettingsError(option, value=str(file), rule="is a folder", next_step=_NEXT)
    if not file.parent.is_dir():
        raise SettingsError(option, value=str(file), rule="its folder does not exist", next_step=_NEXT)


def write_file(option: str, file: Path, content: bytes) -> None:
    """Write it; raises SettingsError, naming the option, where the machine refuses."""
    check_folder(option, file)
    try:
        file.write_bytes(content)
    except OSError as error:
        raise SettingsError(
            option, value=str(file), rule=f"cannot be written ({error.strerror})", next_step=_NEXT
        ) from error
