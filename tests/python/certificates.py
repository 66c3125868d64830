"""Certificates for tests, made by the openssl program."""
import subprocess


def _openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


class Authority:
    """Signs certificates into a folder: NAME.pem and NAME.key; its own is AUTHORITY.pem."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        _openssl("req", "-x509", *self._new_key(name), "-out", self.certificate, "-days", "2",
                 "-subj", f"/CN={name}")

    @property
    def certificate(self):
        return self.folder / f"{self.name}.pem"

    def _new_key(self, name):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", self.folder / f"{name}.key"]

    def issue(self, name, alternative_names):
        """Returns the paths of a certificate and its key."""
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        _openssl("req", *self._new_key(name), "-out", request, "-subj", f"/CN={name}")
        extensions.write_text(f"subjectAltName={alternative_names}")
        certificate = self.folder / f"{name}.pem"
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey",
                 self.folder / f"{self.name}.key", "-CAcreateserial", "-days", "2",
                 "-extfile", extensions, "-out", certificate)
        return certificate, self.folder / f"{name}.key"
