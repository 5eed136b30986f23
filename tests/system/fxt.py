# SPDX-License-Identifier: Apache-2.0
"""fxt.py FILE: checks a file against the Fuchsia trace format, and tells what is in it.

Written from https://fuchsia.dev/fuchsia-src/reference/tracing/trace-format alone, and strict:
reserved bits and padding are zero, whatever is named by a number was told before, no record
is cut off, what ends has begun and not before that.
"""
import collections
import struct
import sys

METADATA, INITIALIZATION, STRING, THREAD, EVENT, KERNEL_OBJECT = 0, 1, 2, 3, 4, 7
INSTANT, COMPLETE, ASYNC_BEGIN, ASYNC_END = 0, 4, 5, 7
UINT32, UINT64, POINTER, KOID = 2, 4, 7, 8


def bits(word, low, high):
    return word >> low & (1 << (high - low + 1)) - 1


class Trace:
    def __init__(self, data):
        assert len(data) % 8 == 0, "the file is no whole number of words"
        self.words = struct.unpack(f"<{len(data) // 8}Q", data)
        self.strings = {}
        self.threads = {}
        self.names = {}  # of processes and threads, by their numbers
        self.open = set()
        self.frequency = 0
        self.events = collections.Counter()
        self.tracks = collections.Counter()
        self.last = collections.defaultdict(int)

    def string(self, reference):
        assert not reference >> 15, "a string in place"
        assert reference == 0 or reference in self.strings, f"string {reference} was not told"
        return self.strings.get(reference, "")

    def arguments(self, record, at, count):
        found = {}
        for _ in range(count):
            header = record[at]
            kind, size = bits(header, 0, 3), bits(header, 4, 15)
            name = self.string(bits(header, 16, 31))
            assert name and name not in found, f"argument '{name}'"
            if kind == UINT32:
                assert size == 1
                found[name] = bits(header, 32, 63)
            else:
                assert kind in (UINT64, POINTER, KOID) and size == 2, f"argument of kind {kind}"
                assert bits(header, 32, 63) == 0, "reserved bits of an argument"
                found[name] = record[at + 1]
            at += size
        return found, at

    def on_string(self, record):
        number, length = bits(record[0], 16, 30), bits(record[0], 32, 46)
        assert number and not bits(record[0], 31, 31) and not bits(record[0], 47, 63)
        raw = struct.pack(f"<{len(record) - 1}Q", *record[1:])
        assert length > len(raw) - 8 and not raw[length:].strip(b"\0"), "padding of a string"
        self.strings[number] = raw[:length].decode("utf-8")

    def on_thread(self, record):
        assert len(record) == 3 and bits(record[0], 16, 23) and not bits(record[0], 24, 63)
        self.threads[bits(record[0], 16, 23)] = (record[1], record[2])

    def on_object(self, record):
        kind = bits(record[0], 16, 23)
        assert kind in (1, 2) and not bits(record[0], 44, 63)
        found, end = self.arguments(record, 2, bits(record[0], 40, 43))
        assert end == len(record)
        assert kind == 1 or found["process"] in self.names, "a thread of no process"
        self.names[record[1]] = self.string(bits(record[0], 24, 39))

    def on_event(self, record):
        header = record[0]
        kind, thread = bits(header, 16, 19), bits(header, 24, 31)
        category, name = self.string(bits(header, 32, 47)), self.string(bits(header, 48, 63))
        found, at = self.arguments(record, 2, bits(header, 20, 23))
        track = self.names[self.threads[thread][1]]
        assert self.threads[thread][0] in self.names and category and name
        if kind == COMPLETE:
            assert record[1] <= record[at], "it ends before it begins"
            assert record[1] >= self.last[track], f"{name} on {track} begins within another"
            self.last[track] = record[at]
        elif kind == ASYNC_BEGIN:
            assert record[at] not in self.open, f"{name} begins twice"
            self.open.add(record[at])
        elif kind == ASYNC_END:
            self.open.remove(record[at])
        else:
            assert kind == INSTANT, f"an event of kind {kind}"
        assert at + (kind != INSTANT) == len(record), "the size of an event"
        self.events[category, name] += found.get("count", 1)
        self.tracks[track] += 1

    def read(self):
        assert self.words[0] == 0x0016547846040010, "the magic number"
        at = 1
        while at < len(self.words):
            kind, size = bits(self.words[at], 0, 3), bits(self.words[at], 4, 15)
            record = self.words[at : at + size]
            assert size and len(record) == size, "a record is cut off"
            if kind == INITIALIZATION:
                assert size == 2 and not self.frequency
                self.frequency = record[1]
            else:
                {
                    STRING: self.on_string,
                    THREAD: self.on_thread,
                    EVENT: self.on_event,
                    KERNEL_OBJECT: self.on_object,
                }[kind](record)
            at += size
        assert self.frequency


def main():
    with open(sys.argv[1], "rb") as file:
        trace = Trace(file.read())
    trace.read()
    for (category, name), count in sorted(trace.events.items()):
        print(f"{category}: {name}: {count}")
    for track, count in sorted(trace.tracks.items()):
        print(f"track {track}: {count}")


main()
