#!/usr/bin/env python3
"""Checks seal_v1.json against an implementation that shares nothing with the library.

Run by hand: python3 check.py (needs the package `cryptography`, for AES and AES-GCM).
"""

import base64
import hashlib
import json
import pathlib
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.cmac import CMAC

KINDS = {"record": 1, "id": 2, "at rest": 4, "touch": 8}


def cmac(key, message):
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()


def derive(master, label, length):
    """SP 800-108r1, counter mode, CMAC-AES-256, no context."""
    tail = label + b"\0" + struct.pack(">I", length * 8)
    blocks = [cmac(master, struct.pack(">I", i) + tail) for i in range(1, -(-length // 16) + 1)]
    return b"".join(blocks)[:length]


def xaes_seal(key, nonce, text, aad):
    """C2SP XAES-256-GCM, by its description with whole CMACs."""
    half = nonce[:12]
    derived = cmac(key, b"\x00\x01X\x00" + half) + cmac(key, b"\x00\x02X\x00" + half)
    return AESGCM(derived).encrypt(nonce[12:], text, aad)


def master_of(key):
    return key if len(key) == 32 else hashlib.sha256(b"session-core/key/v1\0" + key).digest()


def seal(case):
    master = master_of(bytes.fromhex(case["key"]))
    key_id = derive(master, b"session-core/key-id/v1", 4)
    head = bytes([1]) + key_id + bytes([KINDS[case["kind"]]])
    if "record" in case:
        aad = b"session-core/record/v1\0" + head + bytes.fromhex(case["record"])
    else:
        parts = [case[part].encode() for part in ("name", "scope", "purpose")]
        label = b"session-core/touch/v1\0" if "touches" in case else b"session-core/cookie/v1\0"
        aad = label + head + b"".join(struct.pack(">I", len(p)) + p for p in parts)
        if "touches" in case:
            aad += bytes.fromhex(case["touches"]["key"]) + bytes.fromhex(case["touches"]["etag"])
    nonce = bytes.fromhex(case["nonce"])
    body = xaes_seal(derive(master, b"session-core/seal/v1", 32), nonce, bytes.fromhex(case["plaintext"]), aad)
    return base64.urlsafe_b64encode(head + nonce + body).rstrip(b"=").decode()


def main():
    published = xaes_seal(b"\x03" * 32, b"ABCDEFGHIJKLMNOPQRSTUVWX", b"XAES-256-GCM", b"c2sp.org/XAES-256-GCM")
    assert published.hex() == "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"
    path = pathlib.Path(__file__).with_name("seal_v1.json")
    seals = json.loads(path.read_text())["seals"]
    for number, case in enumerate(seals):
        assert seal(case) == case["value"], f"vector {number} ({case['about']}) differs"
    print(f"{len(seals)} vectors hold")


if __name__ == "__main__":
    main()
