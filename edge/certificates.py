"""`tunnel-edge certs`: a site's own certificate authority, certificates for its broker and each of its clients.

For a bench and a pilot; a site that has an authority of its own gives the same names (`core/access.py`) by that.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edge.broker import CA, CERTIFICATE, KEY, expires
from edge.core.access import OF_A_LANE, OF_THE_SITE, acl, identity
from edge.core.errors import ConfigError
from edge.disk import made, written

CA_KEY, SERVER, SERVER_KEY = "ca.key", "server.pem", "server.key"
CA_DAYS, DAYS = 3650, 398
BEFORE = timedelta(minutes=5)  # for clocks that differ
Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs."""

    folder: Path
    certificate: x509.Certificate
    key: Key


def main(arguments: Sequence[str]) -> int:
    """`tunnel-edge certs site | client | acl | show`."""
    options = _parser().parse_args(arguments)
    if options.verb == "acl":
        print(acl(options.site, options.lane), end="")  # noqa: T201 - the command's own voice
    elif options.verb == "show":
        _show(options.files)
    else:
        try:
            {"site": _site, "client": _clients}[options.verb](options)
        except OSError as error:
            raise ConfigError(f"{error.filename}: {error.strerror}: name another folder.") from error
    return 0


def _site(options: argparse.Namespace) -> None:
    """An authority, the broker's certificate, and those of the site's clients."""
    if (options.folder / CA_KEY).exists():
        raise ConfigError(f"{options.folder}: there is an authority: `tunnel-edge certs client` renews what it signed.")
    authority = _new_authority(options.folder)
    names = [_name(host) for host in ("localhost", "127.0.0.1", *options.host)]
    usage, days = ExtendedKeyUsageOID.SERVER_AUTH, timedelta(days=options.days)
    _give(authority, options.folder / "broker", "broker", (SERVER, SERVER_KEY), usage, days, names)
    _clients(options)


def _clients(options: argparse.Namespace) -> None:
    """Of the roles that were asked for, or of all."""
    authority, days = _authority(options.folder), timedelta(days=options.days)
    places = [(role, options.folder / lane / role, identity(role, lane)) for lane in options.lane for role in OF_A_LANE]
    places += [(role, options.folder / role, identity(role)) for role in OF_THE_SITE]
    for role, folder, name in places:
        if not options.only or role in options.only:
            _give(authority, folder, name, (CERTIFICATE, KEY), ExtendedKeyUsageOID.CLIENT_AUTH, days)


def _new_authority(folder: Path) -> Authority:
    key, name = ec.generate_private_key(ec.SECP256R1()), _subject("tunnel-edge site authority")
    now = datetime.now(UTC)
    certificate = (
        _builder(name, name, key.public_key(), now, timedelta(days=CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    made(folder)
    written(folder / CA_KEY, _secret(key), 0o600)
    written(folder / CA, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    return Authority(folder, certificate, key)


def _authority(folder: Path) -> Authority:
    """The one that was made there.

    Raises:
        ConfigError: there is none, or it is damaged.
    """
    try:
        key = serialization.load_pem_private_key((folder / CA_KEY).read_bytes(), None)
        certificate = x509.load_pem_x509_certificate((folder / CA).read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder}: no site authority ({error}): make one with `tunnel-edge certs site`.") from error
    if not isinstance(key, Key):
        raise ConfigError(f"{folder / CA_KEY}: no key of `tunnel-edge certs site`.")
    return Authority(folder, certificate, key)


def _give(
    authority: Authority,
    folder: Path,
    name: str,
    files: tuple[str, str],
    usage: x509.ObjectIdentifier,
    valid: timedelta,
    hosts: Sequence[x509.GeneralName] = (),
) -> None:
    """A key and a certificate; where there were some, new ones take their place."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(_subject(name), authority.certificate.subject, key.public_key(), datetime.now(UTC), valid)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
    signed = builder.sign(authority.key, hashes.SHA256())
    made(folder)
    written(folder / CA, authority.certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    written(folder / files[0], signed.public_bytes(serialization.Encoding.PEM), 0o644)
    written(folder / files[1], _secret(key), 0o600)
    print(f"{folder}: {name}, until {signed.not_valid_after_utc:%Y-%m-%d}")  # noqa: T201 - the command's own voice


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, valid: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now - BEFORE, now + valid - BEFORE))
        .not_valid_after(now + valid)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _secret(key: Key) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _show(files: Sequence[Path]) -> None:
    """Whose they are, and until when."""
    for path in files:
        name, until = expires(path)
        left = (until - datetime.now(UTC)).days
        print(f"{path}: {name}, until {until:%Y-%m-%d} ({left} days)")  # noqa: T201 - the command's own voice


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tunnel-edge certs", description="Certificates for a site's broker.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    site = verbs.add_parser("site", help="a new authority, the broker's certificate, and those of all clients")
    client = verbs.add_parser("client", help="new certificates of clients, by the authority that is there")
    access = verbs.add_parser("acl", help="the broker's access list, to be written into its acl_file")
    show = verbs.add_parser("show", help="whose certificates are, and until when")
    for verb in (site, client):
        verb.add_argument("folder", type=Path, help="of the authority; its ca.key is the site's most secret file")
        verb.add_argument("--days", type=int, default=DAYS, help="how long they are good for (default: %(default)s)")
        verb.add_argument("--only", action="append", choices=(*OF_A_LANE, *OF_THE_SITE), help="these clients alone")
    site.add_argument("--host", action="append", default=[], help="a name or address of the broker")
    access.add_argument("--site", required=True, help="as in the topics")
    for verb in (site, client, access):
        verb.add_argument("--lane", action="append", required=verb is access, default=[], help="again for each lane")
    show.add_argument("files", type=Path, nargs="+", metavar="FILE.pem")
    return parser
