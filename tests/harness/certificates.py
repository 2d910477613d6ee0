"""An authority of the tests' own, made by the openssl program: what the daemon is to show does not come from its own code."""

import ipaddress
import pathlib
import ssl
import subprocess
from dataclasses import dataclass

KINDS = {"ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["-newkey", "rsa:2048"]}
PASSWORD = "open sesame"


@dataclass
class Certificate:
    file: pathlib.Path  # the chain, PEM
    key: pathlib.Path

    def toml(self, **more: str) -> str:
        """For a [tls] or [[tls.sni]] table."""
        keys = {"certificate": self.file, "key": self.key, **more}
        return "".join(f'{name} = "{value}"\n' for name, value in keys.items())


class Authority:
    """Everything it makes lies in `folder`; keys are readable by their owner only."""

    def __init__(self, folder: pathlib.Path, name: str = "Test Authority") -> None:
        self.folder = folder
        self.file, self.key = folder / "ca.pem", folder / "ca-key.pem"
        self.make("ca", name, KINDS["ec"], ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"], [])

    def make(self, file: str, name: str, kind: list[str], extensions: list[str], arguments: list[str]) -> Certificate:
        made = Certificate(self.folder / f"{file}.pem", self.folder / f"{file}-key.pem")
        extended = [word for extension in extensions for word in ("-addext", extension)]
        subprocess.run(["openssl", "req", "-x509", *kind, "-nodes", "-subj", f"/CN={name}", "-keyout", made.key, "-out", made.file,
                        *extended, *arguments], check=True, capture_output=True)
        made.key.chmod(0o600)
        return made

    def issue(self, *names: str, kind: str = "ec", days: int = 30, file: str | None = None) -> Certificate:
        """A server's or a client's certificate for `names`, hosts or IP addresses."""
        alternatives = ",".join(f"{'IP' if is_address(name) else 'DNS'}:{name}" for name in names)
        return self.make(file or names[0], names[0], KINDS[kind],
                         ["basicConstraints=critical,CA:FALSE", f"subjectAltName={alternatives}"],
                         ["-CA", str(self.file), "-CAkey", str(self.key), "-days", str(days)])

    def lock(self, certificate: Certificate) -> pathlib.Path:
        """Encrypts its key with PASSWORD; the file that has this one."""
        file = certificate.key.with_suffix(".password")
        file.write_text(PASSWORD + "\n")
        file.chmod(0o600)
        locked = certificate.key.with_suffix(".locked")
        subprocess.run(["openssl", "pkey", "-in", certificate.key, "-aes256", "-passout", f"file:{file}", "-out", locked],
                       check=True, capture_output=True)
        locked.chmod(0o600)
        locked.replace(certificate.key)
        return file

    def trusted(self, certificate: Certificate | None = None) -> ssl.SSLContext:
        """For a client that believes this authority and nobody else, and perhaps has a certificate."""
        context = ssl.create_default_context(cafile=str(self.file))
        if certificate:
            context.load_cert_chain(certificate.file, certificate.key)
        return context


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
        return True
    except ValueError:
        return False
