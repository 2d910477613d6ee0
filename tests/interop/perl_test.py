"""Perl's Net::SMTP, with IO::Socket::SSL and Authen::SASL."""

import pytest

from interop.conftest import PASSWORD, USER
from interop.messages import MESSAGES

# Arguments: port, CA file, user, password. The user is empty: no AUTH.
SCRIPT = r"""
use strict; use warnings; use Net::SMTP;
my ($port, $ca, $user, $password) = @ARGV;
my @tls = (SSL_ca_file => $ca, SSL_verifycn_name => 'localhost');
my $smtp = Net::SMTP->new('127.0.0.1', Port => $port, Hello => 'client.test', $port == 465 ? (SSL => 1, @tls) : ()) or die "connect: $@";
$port == 465 || $smtp->starttls(@tls) or die 'starttls: ' . $smtp->message . ($IO::Socket::SSL::SSL_ERROR // '');
$user eq '' || $smtp->auth($user, $password) or die 'auth: ' . $smtp->code . ' ' . $smtp->message;
$smtp->mail('ann@client.test') && $smtp->to('bob@dev.test') or die 'envelope: ' . $smtp->code . ' ' . $smtp->message;
binmode STDIN; my $text = do { local $/; <STDIN> };
$smtp->data($text) or die 'data: ' . $smtp->message;
$smtp->quit;
"""


def send(secure, port: int, user: str, password: str = PASSWORD):
    return secure.daemon.run(["perl", "-e", SCRIPT, str(port), secure.ca, user, password],
                             input=MESSAGES["dot_lines"].replace(b"\r\n", b"\n"))


@pytest.mark.parametrize("port", [25, 465])
def test_over_tls(secure, port):
    done = send(secure, port, "")
    assert done.returncode == 0, done.stderr
    request, message = secure.last()
    assert message == MESSAGES["dot_lines"] and request["protocol"] == "ESMTPS"


@pytest.mark.parametrize("port", [25, 465, 587])
def test_authenticated(secure, port):
    done = send(secure, port, USER)
    assert done.returncode == 0, done.stderr
    assert secure.last()[0]["user"] == USER


def test_a_wrong_password_and_none_at_all(secure):
    assert b"auth: 535" in send(secure, 587, USER, "wrong").stderr
    assert b"envelope: 530" in send(secure, 587, "").stderr
