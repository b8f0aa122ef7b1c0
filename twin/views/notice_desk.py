"""What the System page needs of the running application to let people act on notifications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class NoticeDesk(Protocol):
    """What people may do. Each answers with a sentence for the person, and raises NotAuthorisedError, SettingsError,
    ConcurrentChangeError, StoreUnavailableError.

    off       why nobody is told, "" when somebody may be
    has_mail  whether a mail server is set, so that mail targets can be added
    """

    @property
    def off(self) -> str: ...
    @property
    def has_mail(self) -> bool: ...
    def test(self, name: str, *, actor: str, key: str) -> str: ...
    def switch(self, name: str, *, is_on: bool, actor: str, key: str) -> str: ...
    def set_least(self, name: str, least: str, *, actor: str, key: str) -> str: ...
    def add(self, document: Mapping[str, Any], *, actor: str, key: str) -> str: ...
    def remove(self, name: str, *, actor: str, key: str) -> str: ...
