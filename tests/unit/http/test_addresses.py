from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.addresses import AddressGuard, is_public, is_url_allowed

NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104 - called, not bound
    "0.255.255.255",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.255.255",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
PUBLIC = [
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "223.255.255.255",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2a03:2880:f003:c07:face:b00c:0:2",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
@pytest.mark.parametrize("is_encrypted", [True, False])
def test_what_is_not_one_public_machine_is_refused(address, is_encrypted):
    assert AddressGuard().refusal(address, is_encrypted=is_encrypted) == "address_not_allowed"


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_called_through_tls_only(address):
    assert AddressGuard().refusal(address, is_encrypted=True) is None
    assert AddressGuard().refusal(address, is_encrypted=False) == "plain_http_not_allowed"


@pytest.mark.parametrize(
    "address", ["", "localhost", "127.1", "2130706433", "0177.0.0.1", "0x7f.0.0.1", "[::1]"]
)
def test_what_is_no_address_is_refused(address):
    assert AddressGuard().refusal(address, is_encrypted=True) == "address_not_allowed"


@pytest.mark.parametrize(
    ("address", "refusal"),
    [
        ("10.1.2.3", None),
        ("fd00::7", None),
        ("10.2.0.0", "address_not_allowed"),
        ("fd01::7", "address_not_allowed"),
        ("::ffff:10.1.2.3", "address_not_allowed"),
        ("127.0.0.1", "address_not_allowed"),
        ("8.8.8.8", "plain_http_not_allowed"),
    ],
)
def test_an_allowed_network_opens_itself_alone(address, refusal):
    guard = AddressGuard((ip_network("10.1.0.0/16"), ip_network("fd00::/16")))

    assert guard.refusal(address, is_encrypted=False) == refusal


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6), st.ip_addresses(network="2000::/7")))
def test_nothing_is_public_that_the_standard_library_calls_private(address):
    assert address.is_global or not is_public(address)
    assert not (is_public(address) and (address.is_multicast or address.is_reserved))


@given(st.ip_addresses(v=4), st.integers(min_value=0, max_value=2**64 - 1))
def test_no_ipv6_that_holds_an_ipv4_is_public(inside, rest):
    wrapped = [
        IPv6Address(int(IPv6Address(prefix)) + (int(inside) << shift) + (rest % 2**shift))
        for prefix, shift in [
            ("::", 0),
            ("::ffff:0:0", 0),
            ("64:ff9b::", 0),
            ("64:ff9b:1::", 0),
            ("2002::", 80),
        ]
    ]

    assert [address for address in wrapped if is_public(address)] == []


def test_public_is_told_of_values_too():
    assert is_public(IPv4Address("8.8.8.8"))
    assert not is_public(ip_address("::1"))


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://lookaside.fbsbx.com/whatsapp?mid=1", True),
        ("https://LOOKASIDE.fbsbx.com/", True),
        ("HTTPS://lookaside.fbsbx.com:443/", True),
        ("https://media.example:8443/a", True),
        ("http://127.0.0.1:8090/media/1", True),
        ("https://lookaside.fbsbx.com:8443/", False),
        ("https://media.example/a", False),
        ("http://lookaside.fbsbx.com/", False),
        ("https://127.0.0.1:8090/media/1", False),
        ("http://127.0.0.1/media/1", False),
        ("https://lookaside.fbsbx.com./", False),
        ("https://a.lookaside.fbsbx.com/", False),
        ("https://lookaside.fbsbx.com.evil.example/", False),
        ("https://lookaside.fbsbx.com@evil.example/", False),
        ("https://evil.example\\@lookaside.fbsbx.com:1/", False),
        ("https://evil.example/lookaside.fbsbx.com", False),
        ("https://evil.example#lookaside.fbsbx.com", False),
        ("ftp://lookaside.fbsbx.com/", False),
        ("file:///etc/passwd", False),
        ("//lookaside.fbsbx.com/", False),
        ("lookaside.fbsbx.com", False),
        ("https://lookaside.fbsbx.com:port/", False),
        ("https://[::1", False),
        ("", False),
    ],
)
def test_a_host_must_match_whole(url, is_allowed):
    hosts = ["lookaside.FBSBX.com", "media.example:8443"]

    assert is_url_allowed(url, hosts, ["127.0.0.1:8090"]) is is_allowed
