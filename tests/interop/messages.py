"""Messages that have tripped up mail software, in wire form without dot stuffing."""

import base64

HEAD = (b"From: Ann <ann@client.test>\r\nTo: Bob <bob@dev.test>\r\nSubject: interop\r\n"
        b"Date: Sun, 22 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@client.test>\r\n")
ATTACHMENT = bytes(range(256)) * 512

MESSAGES = {
    "plain": HEAD + b"\r\nHello Bob,\r\n\r\ngood bye.\r\n",
    "empty_body": HEAD + b"\r\n",
    "headers_only": HEAD,
    "dot_lines": HEAD + b"\r\n.\r\n..\r\n...\r\n.hidden\r\n. \r\n.\r\nend.\r\n",
    "only_a_dot": HEAD + b"\r\n.\r\n",
    "blank_lines_at_the_end": HEAD + b"\r\nx\r\n\r\n\r\n\r\n",
    "trailing_white_space": HEAD + b"\r\nx \t \r\n \r\n",
    "long_line": HEAD + b"\r\n" + b"x" * 998 + b"\r\n",
    "eight_bit": HEAD + b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                        b"Content-Transfer-Encoding: 8bit\r\n\r\n" + "Grüße, 世界\r\n".encode(),
    "attachment": HEAD + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\n"
                         b"Content-Type: text/plain\r\n\r\nsee below\r\n--b1\r\nContent-Type: application/octet-stream\r\n"
                         b"Content-Disposition: attachment; filename=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                         + base64.encodebytes(ATTACHMENT).replace(b"\n", b"\r\n") + b"--b1--\r\n",
}

# What only a client that sends octets as they are gets through.
RAW_MESSAGES = {
    **MESSAGES,
    "nothing_at_all": b"",
    "not_utf_8": HEAD + b"\r\n" + bytes(range(128, 256)) + b"\r\n",
    "nul_and_control_bytes": HEAD + b"\r\na\0b\x01\x7f\x1b[0m\r\n",
    "over_1000_octets": HEAD + b"\r\n" + b"y" * 5000 + b"\r\n",
    "over_64_kib": HEAD + b"\r\n" + b"z" * 70 * 1000 + b"\r\n" + b"0123456789\r\n" * 20000,
}
