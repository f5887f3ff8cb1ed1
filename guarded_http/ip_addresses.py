"""Classification of IP addresses as public or not.

`ipaddress.is_global` follows IANA's registries except for the networks listed here:
https://www.iana.org/assignments/iana-ipv6-special-registry/
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_IPV6_UNICAST = IPv6Network("2000::/3")
_IPV6_DOCUMENTATION = IPv6Network("3fff::/20")
_IPV4_PROTOCOLS = IPv4Network("192.0.0.0/24")
_IPV4_RELAYS = IPv4Network("192.88.99.0/24")
_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether an address is globally reachable unicast. If it embeds an IPv4 address, that one decides.

    Args:
        address: a numeric IPv4 or IPv6 address.
    """
    ip = _unwrap(ip_address(address))
    if isinstance(ip, IPv4Address):
        special = ip in _IPV4_PROTOCOLS or ip in _IPV4_RELAYS
    else:
        special = ip not in _IPV6_UNICAST or ip in _IPV6_DOCUMENTATION or ip.teredo is not None
    return ip.is_global and not ip.is_multicast and not special


def _unwrap(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The embedded IPv4 address of an IPv4-mapped, 6to4 or NAT64 address; any other address itself."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip
