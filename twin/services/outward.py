"""Connections to addresses that people typed in: checked after name resolution, pinned, and limited in time.

Promises: a connection goes to the very address that was judged; private, loopback, link-local, multicast and other
addresses that are not public are refused unless a network in the settings allows them, metadata services unless they
are named one by one. Certificates are checked against the name. No proxy of the environment is used.

The standard library is enough: what an HTTP library adds (pools, redirects, proxies) would have to be switched off.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from types import TracebackType

from twin.errors import DeliveryError, DeliveryRefusedError, SettingsError

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

LIMIT_S = 15.0
"""For a whole delivery: resolving aside, from the first packet to the answer."""
_METADATA = (
    "169.254.169.254 169.254.170.2 100.100.100.200 168.63.129.16 192.0.0.192 fd00:ec2::254 fd20:ce::254"
)
METADATA = frozenset(map(ip_address, _METADATA.split()))
"""Where clouds hand out credentials; one of them (Azure's) is a public address."""
_TRANSLATED = tuple(map(IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")))
"""IPv6 that leads to an IPv4 address inside it: NAT64, 6to4, Teredo, compatible."""


@dataclass(frozen=True, slots=True)
class Rules:
    """networks: what is allowed besides the public internet; http: plain HTTP and unencrypted SMTP too."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    http: bool = False
    ca_file: str = ""
    limit_s: float = LIMIT_S

    @classmethod
    def of(cls, networks: Sequence[str], *, http: bool = False, ca_file: str = "") -> Rules:
        """Raises SettingsError on what is no network."""
        try:
            return cls(tuple(ip_network(network) for network in networks), http, ca_file)
        except ValueError as error:
            raise SettingsError(
                "allow_networks", rule=f"{error}", next_step="Write networks as 10.0.0.0/8 or 192.168.1.7/32"
            ) from error

    def tls(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.ca_file or None)
        except OSError as error:
            raise DeliveryRefusedError(
                "ca_file", rule=f"cannot be read ({error.strerror})", next_step="Correct its path"
            ) from error

    def allows(self, address: Address) -> bool:
        """Whether something may be sent there."""
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        own = [network for network in self.networks if address in network]
        if address in METADATA:
            return any(network.num_addresses == 1 for network in own)
        if own:
            return True
        if isinstance(address, IPv6Address) and any(address in network for network in _TRANSLATED):
            return False
        return address.is_global and not (
            address.is_multicast
            or address.is_reserved
            or address.is_unspecified
            or (isinstance(address, IPv6Address) and address.is_site_local)
        )


def resolve(host: str, port: int) -> list[str]:
    """Every address the system's resolver gives."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def allowed_addresses(host: str, port: int, rules: Rules, look_up: Resolve = resolve) -> list[str]:
    """The host's addresses; raises DeliveryRefusedError when one of them is not allowed, naming host and address."""
    try:
        found = look_up(host, port)
    except (OSError, UnicodeError) as error:
        raise DeliveryError(
            host, rule="is a name nobody could resolve", next_step="Correct the name, or look at the network"
        ) from error
    if not found:
        raise DeliveryError(host, rule="has no address", next_step="Correct the name")
    for text in found:
        if "%" in text or not rules.allows(ip_address(text)):
            raise DeliveryRefusedError(
                host,
                rule=f"resolves to {text}, which is not a public address",
                next_step="Allow its network in allow_networks if it is yours",
            )
    return list(found)


class Line:
    """One pinned connection with a deadline; use it in a `with`."""

    def __init__(self, host: str, port: int, rules: Rules, look_up: Resolve = resolve) -> None:
        """Connects to the first address that answers. Raises DeliveryError."""
        self.is_over = False
        self._host = host
        addresses = allowed_addresses(host, port, rules, look_up)
        self.socket = _connected(host, port, addresses, rules)
        self._timer = threading.Timer(rules.limit_s, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def encrypt(self, context: ssl.SSLContext) -> None:
        """TLS, with the certificate checked against the name."""
        self.socket = context.wrap_socket(self.socket, server_hostname=self._host)
        if self.is_over:
            raise TimeoutError

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with contextlib.suppress(OSError):
            self.socket.close()

    def failure(self, error: Exception) -> DeliveryError:
        """What went wrong, in words that carry no address path and no content."""
        if self.is_over or isinstance(error, TimeoutError):
            rule = "took too long to answer"
        elif isinstance(error, ssl.SSLCertVerificationError):
            rule = f"shows a certificate that does not hold ({error.verify_message})"
        elif isinstance(error, ssl.SSLError):
            rule = "does not speak TLS as expected"
        else:
            rule = f"broke off ({type(error).__name__})"
        return DeliveryError(self._host, rule=rule, next_step="It is tried again")

    def _cut(self) -> None:
        self.is_over = True
        with contextlib.suppress(OSError):
            # Not SSLSocket's own: it would take the encryption away under the thread that reads.
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


def _connected(host: str, port: int, addresses: Sequence[str], rules: Rules) -> socket.socket:
    last: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=rules.limit_s / len(addresses))
        except OSError as error:
            last = error
    why = "did not answer in time" if isinstance(last, TimeoutError) else "does not accept connections"
    raise DeliveryError(
        f"{host}:{port}", rule=why, next_step="It is tried again; look whether it runs"
    ) from last
