"""A TensorFlow checkpoint (tensor bundle, V2) read without TensorFlow.

`<prefix>.index` is a table of `BundleEntryProto` by key, `<prefix>.data-XXXXX-of-YYYYY` hold the
bytes. Source: tensorflow/core/protobuf/tensor_bundle.proto and util/tensor_bundle.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckpt_action.checkpoint.bundle_index import BundleEntry, parse_index
from ckpt_action.checkpoint.crc32c import crc32c_array, mask
from ckpt_action.checkpoint.damage import broken, reading
from ckpt_action.checkpoint.dtypes import SIZES, numpy_dtype
from ckpt_action.checkpoint.object_graph import GRAPH_KEY, parse_object_graph
from ckpt_action.checkpoint.records import ObjectGraph
from ckpt_action.checkpoint.strings import parse_strings
from ckpt_action.checkpoint.wire import MalformedError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class TensorBundle:
    """The checkpoint at `prefix`; opening it reads and checks the index, never the data.

    Every error is a CkptActionError: CHECKPOINT with the file it is in, or ENVIRONMENT where a
    value needs a package that is missing.
    """

    def __init__(self, prefix: Path | str) -> None:
        self.prefix = Path(prefix)
        self.index_file = self.prefix.with_name(self.prefix.name + ".index")
        with reading(self.index_file):
            self._index = parse_index(_content(self.index_file))
        self._shards: dict[int, memoryview] = {}

    @property
    def entries(self) -> Mapping[str, BundleEntry]:
        """Every value by key, in key order; the parts of a partitioned variable are one value."""
        return self._index.entries

    @cached_property
    def shards(self) -> tuple[Path, ...]:
        """The data files that the index asks for, there or not."""
        count = self._index.shards
        return tuple(
            self.prefix.with_name(f"{self.prefix.name}.data-{shard:05d}-of-{count:05d}")
            for shard in range(count)
        )

    @cached_property
    def shard_sizes(self) -> tuple[int, ...]:
        """Bytes that each data file must have at least."""
        sizes = [0] * self._index.shards
        for entry in self._index.stored():
            sizes[entry.shard] = max(sizes[entry.shard], entry.offset + entry.bytes)
        return tuple(sizes)

    def raw(self, key: str) -> memoryview:
        """The stored bytes of `key`, mapped and not checked; not for partitioned variables."""
        entry = self._entry(key)
        if entry.slices:
            raise broken(
                self.index_file,
                f"{key!r} is stored in {len(entry.slices)} parts; it has no bytes of its own.",
                "",
            )
        return self._stored(entry)

    def read(self, key: str) -> NDArray[Any]:
        """The value of `key` with its checksum verified; strings as an object array of bytes.

        A large value is a read-only view of the mapped file.
        """
        import numpy as np

        entry = self._entry(key)
        if entry.dtype == "string":
            texts = np.empty(len(values := self.read_strings(key)), object)
            texts[:] = values
            return texts.reshape(entry.shape)
        if entry.dtype not in SIZES:
            raise broken(
                self.index_file,
                f"{key!r} is of type {entry.dtype}, which has no values outside TensorFlow.",
                "",
            )
        if not entry.slices:
            return self._array(entry)
        whole = np.empty(entry.shape, numpy_dtype(entry.dtype))
        for part in entry.slices:
            whole[part.where] = self._array(part.entry)
        return whole

    def read_strings(self, key: str) -> list[bytes]:
        """The elements of a string tensor in C order, checksum verified."""
        entry = self._entry(key)
        with reading(self.shards[entry.shard], key):
            return parse_strings(bytes(self._stored(entry)), entry.elements, entry.crc32c)

    def verify_crc(self, key: str) -> None:
        """Raise where the stored bytes of `key` are not those that were written.

        Every size: numpy checks hundreds of megabytes a second. Values of type variant and
        resource are left out; nothing reads them.
        """
        entry = self._entry(key)
        if entry.dtype == "string":
            self.read_strings(key)
        elif entry.dtype in SIZES:
            for stored in [part.entry for part in entry.slices] or [entry]:
                self._checked(stored)

    def object_graph(self) -> ObjectGraph | None:
        """The objects that were saved; None for a TF1 checkpoint, which knows only names."""
        entry = self.entries.get(GRAPH_KEY)
        if entry is None or entry.dtype != "string" or entry.elements != 1:
            return None
        data = self.read_strings(GRAPH_KEY)[0]
        with reading(self.shards[entry.shard], GRAPH_KEY):
            return parse_object_graph(data)

    def _entry(self, key: str) -> BundleEntry:
        try:
            return self.entries[key]
        except KeyError:
            message = f"The checkpoint holds no value {key!r}."
            raise broken(self.index_file, message, "") from None

    def _array(self, entry: BundleEntry) -> np.ndarray[Any, Any]:
        import numpy as np

        data = self._checked(entry)
        return np.frombuffer(data, numpy_dtype(entry.dtype)).reshape(entry.shape)

    def _checked(self, entry: BundleEntry) -> memoryview:
        data = self._stored(entry)
        if mask(crc32c_array(data)) != entry.crc32c:
            with reading(self.shards[entry.shard], entry.key):
                raise MalformedError("its checksum does not fit its content")
        return data

    def _stored(self, entry: BundleEntry) -> memoryview:
        file = self.shards[entry.shard]
        with reading(file, entry.key):
            if entry.shard not in self._shards:
                self._shards[entry.shard] = memoryview(_content(file))
            shard = self._shards[entry.shard]
            if entry.offset + entry.bytes > len(shard):
                raise MalformedError(
                    f"the file ends at byte {len(shard)}, the value at byte "
                    f"{entry.offset + entry.bytes}"
                )
            return shard[entry.offset : entry.offset + entry.bytes]


def _content(file: Path) -> bytes | mmap.mmap:
    """The bytes of `file`, mapped; an empty file cannot be."""
    with file.open("rb") as stream:
        if stream.seek(0, 2) == 0:
            return b""
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
