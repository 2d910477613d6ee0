"""The network."""

import fcntl, os, socket, struct

from acts.act import act, ACTS, call, Got, HERE, KNOWN


def tcp(address, port, family=socket.AF_INET, protocol=0):
    one = socket.socket(family, socket.SOCK_STREAM, protocol)
    one.settimeout(2)
    one.connect((address, port))
@act
def connect_to_the_daemon(): tcp("127.0.0.1", 25)
@act
def connect_to_a_neighbour(): tcp("10.0.0.5", 5432)
@act
def connect_by_ipv6(): tcp("::1", 25, socket.AF_INET6)
@act
def connect_by_multipath_tcp(): tcp("127.0.0.1", 25, protocol=262)
@act
def connect_by_sctp(): tcp("127.0.0.1", 25, protocol=132)
@act
def connect_by_fast_open():
    socket.socket().sendto(b"x", 0x20000000, ("127.0.0.1", 25))
@act
def send_a_datagram(): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("10.0.0.5", 53))
@act
def ask_for_a_name(): socket.getaddrinfo("example.com", 25)
@act
def bind_a_port(): socket.socket().bind(("127.0.0.1", 8080))
@act
def bind_any_port(): socket.socket().bind(("0.0.0.0", 0))
@act
def bind_port_25(): socket.socket().bind(("127.0.0.1", 25))
@act
def make_a_raw_socket(): socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
@act
def make_a_ping_socket(): socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1)
@act
def raise_the_loopback():
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    fcntl.ioctl(one, 0x8914, struct.pack("16sh", b"lo", 1))
@act
def change_the_loopback_by_netlink():
    one = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    one.send(struct.pack("=IHHIIBBHiII", 32, 16, 5, 1, 0, 0, 0, 0, 1, 1, 1))
    error = struct.unpack_from("=i", one.recv(4096), 16)[0]
    if error:
        raise OSError(-error, "")
@act
def see_interfaces(): raise Got("done " + " ".join(name for _, name in socket.if_nameindex()))
for name, family, kind, protocol in (
        ("packet", 17, 3, 3), ("audit", 16, 3, 9), ("netfilter", 16, 3, 12), ("uevent", 16, 3, 15), ("crypto", 38, 5, 0),
        ("vsock", 40, 1, 0), ("key", 15, 3, 2), ("xdp", 44, 3, 0), ("bluetooth", 31, 3, 1), ("can", 29, 3, 1), ("tipc", 30, 5, 0),
        ("rds", 21, 5, 0), ("kcm", 41, 2, 0), ("smc", 43, 1, 0), ("rxrpc", 33, 2, 2), ("nfc", 39, 3, 0)):
    ACTS["socket_" + name] = lambda family=family, kind=kind, protocol=protocol: call(41, family, kind, protocol)
@act
def talk_to_an_abstract_socket_outside(): socket.socket(socket.AF_UNIX).connect("\0" + KNOWN["abstract"])
@act
def see_descriptors_it_was_not_given():
    raise Got("done " + " ".join(name for name in sorted(os.listdir(f"/proc/{os.getppid()}/fd"), key=int) if int(name) < 3 or
              not os.readlink(f"/proc/{os.getppid()}/fd/{name}").startswith((HERE, "pipe:", "/proc"))))
@act
def find_a_secret_in_the_environment():
    raise Got("done " + " ".join(sorted(set(os.environ) - {"LC_CTYPE"})))
