"""Uploads as docs/uploads.md lays them down, written byte by byte: what a
process that died may have left."""

import json
import os
import random
import struct
import time

OPEN, COMPLETING, COMPLETE, ABORTED, EXPIRED = range(5)
UNKNOWN = 2 ** 64 - 1


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def slot(seq, phase, length, offset, touched_ms):
    s = struct.pack("<8sQIIQQQQqQII16s28x", b"REELUPL1", seq, phase, 0,
                    length, offset, offset, 0, touched_ms, 0, 0, 0,
                    b"some other boot.")
    return s + struct.pack("<I", crc32c(s))


def leave(store, asset, data, phase, door="tus", age_s=0, lives_s=86400,
          pipeline="small", write=True):
    """an upload of which nobody has a turn; its id"""
    upload = "%032x" % random.getrandbits(128)
    folder = os.path.join(store, "uploads", upload)
    touched = int((time.time() - age_s) * 1000)
    length = len(data) if phase in (COMPLETING, COMPLETE) else UNKNOWN
    files = {
        "state": slot(1, phase, length, len(data), touched).ljust(16384, b"\0"),
        "data": data,
        "upload.json": json.dumps({
            "id": upload, "door": door, "bucket": "video", "max_bytes": 0,
            "expires_ms": touched + lives_s * 1000, "partial": False,
            "access_key": "REELDEMO", "request": {
                "asset": asset, "project": "demo", "pipeline": pipeline,
                "name": "clip.mp4", "size": 0, "max_duration_s": 0,
                "created_ms": touched}}).encode(),
    }
    if phase > COMPLETING:
        del files["data"]
    if door == "multipart" and phase == OPEN:
        files["parts"] = b""
    os.makedirs(folder, exist_ok=True)
    for name, bytes_ in files.items():
        path = os.path.join(folder, name)
        with open(path, "wb") as f:
            f.write(bytes_)
        os.utime(path, (touched / 1000, touched / 1000))
    return upload


def phase(store, upload):
    """None: it is gone"""
    try:
        with open(os.path.join(store, "uploads", upload, "state"), "rb") as f:
            raw = f.read(8192)
    except FileNotFoundError:
        return None
    slots = [struct.unpack_from("<8sQI", raw, at) for at in (0, 4096)
             if raw[at:at + 8] == b"REELUPL1"]
    return max(slots, key=lambda s: s[1])[2]
