"""A Postfix of our own for a comparison: unpacked and not installed, all of its folders below one, nothing delivered."""

import os
import pwd
import shutil
from pathlib import Path

OWNER = "mail"  # one of Debian base-passwd's; not the one of default_privs

MAIN = """compatibility_level = 3.6
daemon_directory = {root}/usr/lib/postfix/sbin
command_directory = {root}/usr/sbin
shlib_directory = {root}/usr/lib/postfix
meta_directory = {root}/usr/share/postfix
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = {owner}
setgid_group = proxy
default_privs = nobody
import_environment = LD_LIBRARY_PATH MAIL_CONFIG
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_protocols = ipv4
inet_interfaces = 127.0.0.1
myhostname = bench.test
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
default_transport = discard
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
message_size_limit = 52428800
default_process_limit = 200
max_use = 1000000
smtpd_tls_security_level = may
smtpd_tls_chain_files = {key}, {certificate}
"""

MASTER = """127.0.0.1:{port} inet n - n - - smtpd -o smtpd_tls_wrappermode={tls}
tlsmgr unix - - n 1000? 1 tlsmgr
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
discard unix - - n - - discard
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""

QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "pid", "private",
          "public", "saved", "trace")


def prepare(root: Path, folder: Path, port: int, tls: bool, certificate: Path, key: Path) -> tuple[list[str], dict[str, str]]:
    """What runs the Postfix unpacked in `root` on `port`, with everything it writes in `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "etc").mkdir(parents=True)
    values = {"root": root, "folder": folder, "port": port, "tls": "yes" if tls else "no", "owner": OWNER,
              "certificate": certificate, "key": key}
    (folder / "etc/main.cf").write_text(MAIN.format(**values))
    (folder / "etc/master.cf").write_text(MASTER.format(**values))
    owner = pwd.getpwnam(OWNER).pw_uid
    (folder / "queue").mkdir()
    for name in ("data", *(f"queue/{name}" for name in QUEUES)):
        (folder / name).mkdir()
        if name != "queue/pid":
            os.chown(folder / name, owner, -1)
    return ([str(root / "usr/lib/postfix/sbin/master"), "-d", "-c", str(folder / "etc")],
            {"LD_LIBRARY_PATH": str(root / "usr/lib/postfix"), "MAIL_CONFIG": str(folder / "etc")})
