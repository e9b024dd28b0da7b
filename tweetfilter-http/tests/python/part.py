#!/usr/bin/env python3
"""A part of the chain in another language, written from FORMATS.md alone and with nothing but Python's own library.

    part.py append  BUFFER ENTRY...    puts entries (JSON) into the buffer
    part.py entries BUFFER             prints the entries that wait
    part.py consume BUFFER             takes over all that nobody holds, prints it, and removes it
    part.py timeline STORE ACCOUNT     prints what an account saw and may see, oldest first

BUFFER is redis://HOST:PORT/NUMBER or a SQLite file; STORE is a SQLite file or SOCKET:DATABASE of a MariaDB server,
which is asked through its client `mariadb`.
"""

import json
import socket
import sqlite3
import subprocess
import sys
import time
from urllib.parse import urlsplit


class Redis:
    """The protocol of Redis: a command is a list of bytes, and so are the answers that matter here."""

    def __init__(self, address):
        parts = urlsplit(address)
        self.socket = socket.create_connection((parts.hostname, parts.port or 6379))
        self.answers = self.socket.makefile("rb")
        self("SELECT", parts.path.strip("/") or 0)

    def __call__(self, *words):
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        lines = [b"*%d\r\n" % len(words)] + [b"$%d\r\n%s\r\n" % (len(w), w) for w in words]
        self.socket.sendall(b"".join(lines))
        return self.answer()

    def answer(self):
        line = self.answers.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if int(rest) < 0:
            return None
        if kind == b"$":
            return self.answers.read(int(rest) + 2)[:-2]
        return [self.answer() for _ in range(int(rest))]

    def at_once(self, *commands):
        """All of them or none: whoever is killed in between leaves nothing half done."""
        self("MULTI")
        for words in commands:
            self(*words)
        self("EXEC")

    def partitions(self):
        return int(self("HGET", "tf:layout", "partitions"))


def about(entry):
    """Network and id of the post that an entry is about."""
    thing = entry.get("post") or entry.get("edit") or entry["change"]
    return thing["network"], thing.get("id", "")


def fnv(network, native_id):
    """By what entries about one post are told to belong together."""
    value = 0xCBF29CE484222325
    for byte in network.encode() + b"\0" + native_id.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def append(buffer, entries):
    if buffer.startswith("redis:"):
        redis = Redis(buffer)
        for text in entries:
            partition = fnv(*about(json.loads(text))) % redis.partitions()
            stream = "tf:{%d}" % partition
            redis.at_once(
                ["XADD", stream, "*", "entry", text],
                ["HINCRBY", stream + ":counts", "appended", 1],
            )
        return
    with sqlite(buffer) as database:
        for text in entries:
            key = fnv(*about(json.loads(text)))
            signed = key - 2**64 if key >= 2**63 else key
            now, content = int(time.time() * 1000), text.encode()
            database.execute("INSERT INTO buffer_entry (part, at, bytes) VALUES (?, ?, ?)", (signed, now, content))
            count(database, 1, len(content))


def entries(buffer):
    if buffer.startswith("redis:"):
        redis = Redis(buffer)
        for partition in range(redis.partitions()):
            for _, fields in redis("XRANGE", "tf:{%d}" % partition, "-", "+"):
                print(fields[1].decode())
        return
    with sqlite(buffer) as database:
        for (content,) in database.execute("SELECT bytes FROM buffer_entry ORDER BY seq"):
            print(content.decode())


def consume(buffer):
    if buffer.startswith("redis:"):
        redis = Redis(buffer)
        for partition in range(redis.partitions()):
            stream = "tf:{%d}" % partition
            answer = redis("XREADGROUP", "GROUP", "tf", "python", "COUNT", 1000, "STREAMS", stream, ">")
            for number, fields in answer[0][1] if answer else []:
                print(fields[1].decode())
                redis.at_once(
                    ["XACK", stream, "tf", number],
                    ["XDEL", stream, number],
                    ["HINCRBY", stream + ":counts", "removed", 1],
                )
        return
    with sqlite(buffer) as database:
        free = """SELECT e.seq, e.bytes FROM buffer_entry e LEFT JOIN buffer_lease l ON l.seq = e.seq
                  WHERE l.seq IS NULL OR l.lease_until <= ? ORDER BY e.seq"""
        for seq, content in database.execute(free, (int(time.time() * 1000),)).fetchall():
            print(content.decode())
            database.execute("DELETE FROM buffer_entry WHERE seq = ?", (seq,))
            database.execute("DELETE FROM buffer_lease WHERE seq = ?", (seq,))
            count(database, -1, -len(content))


def count(database, number, size):
    change = "UPDATE state SET value = value + ? WHERE name = ?"
    database.execute(change, (number, "buffer_entries"))
    database.execute(change, (size, "buffer_bytes"))


def sqlite(path):
    """One transaction, which takes the place of the one writer at its beginning."""
    database = sqlite3.connect(path, timeout=10, isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    database.isolation_level = "DEFERRED"
    return database


TIMELINE = """SELECT {object}('network', d.network, 'id', d.native_id, 'hidden', d.hidden, 'filters', {filters},
    'text', {text}) FROM delivery d JOIN account a ON a.id = d.account
    WHERE a.name = {name} ORDER BY d.commit_no, d.post"""


def timeline(store, account):
    if ":" not in store:
        query = TIMELINE.format(object="json_object", filters="json(d.filters)", text="d.body ->> '$.post.text'", name="?")
        rows = sqlite3.connect(store).execute(query, (account,))
        print(*(row for (row,) in rows), sep="\n")
        return
    path, database = store.rsplit(":", 1)
    name = "CONVERT(0x%s USING utf8mb4) COLLATE utf8mb4_bin" % account.encode().hex()
    text = "JSON_VALUE(d.body, '$.post.text')"
    query = TIMELINE.format(object="JSON_OBJECT", filters="JSON_COMPACT(d.filters)", text=text, name=name)
    client = ["mariadb", "--no-defaults", "-uroot", "--socket=" + path, "--default-character-set=utf8mb4"]
    subprocess.run(client + ["--batch", "--raw", "--skip-column-names", database, "-e", query], check=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["append", buffer, *texts]:
            append(buffer, texts)
        case ["entries", buffer]:
            entries(buffer)
        case ["consume", buffer]:
            consume(buffer)
        case ["timeline", store, account]:
            timeline(store, account)
        case _:
            sys.exit(__doc__)
