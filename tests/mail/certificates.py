"""A server's certificate that an authority made for this test vouches for, and nobody else."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HERE = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))


def write_certificate(folder: Path, *names: x509.GeneralName) -> str:
    """Write cert.pem and key.pem for `names` (default: 127.0.0.1 and localhost); gives the authority's certificate as PEM."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _signed(
        "An authority of tests", authority_key, authority_key, "An authority of tests", is_authority=True
    )
    made = _signed("localhost", key, authority_key, "An authority of tests", names or (HERE, x509.DNSName("localhost")))
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return authority.public_bytes(serialization.Encoding.PEM).decode()


def _signed(
    name: str, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey, issuer: str,
    names: tuple[x509.GeneralName, ...] = (), is_authority: bool = False,
) -> x509.Certificate:  # fmt: skip
    now, called = datetime.now(UTC), lambda one: x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)])
    made = (
        x509.CertificateBuilder().subject_name(called(name)).issuer_name(called(issuer)).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )  # fmt: skip
    if names:
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return made.sign(by, hashes.SHA256())
