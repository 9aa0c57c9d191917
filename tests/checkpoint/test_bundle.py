"""The bundle reader on its own: checksums, strings, partitioned variables, refusals."""

from __future__ import annotations

import os
import random

import numpy as np
import pytest
from checkpoint_files import CORPUS, DATA, copied

from ckpt_action.checkpoint.bundle import TensorBundle
from ckpt_action.checkpoint.crc32c import crc32c, crc32c_array
from ckpt_action.checkpoint.slices import slice_key
from ckpt_action.errors import CkptActionError, ExitCode

PINN = CORPUS / "pinn_thermal/data/tf_ckpts/ckpt-3332"


def test_crc_of_the_standard():
    assert crc32c(b"123456789") == 0xE3069283  # RFC 3720, B.4 uses the same polynomial
    assert crc32c(b"\0" * 32) == 0x8A9136AA


@pytest.mark.parametrize("size", [0, 1, 8191, 8192, 16383, 65536, 65537, 131_071, 300_001])
def test_the_fast_crc_is_the_plain_crc(size):
    data = random.Random(size).randbytes(size)
    assert crc32c_array(data) == crc32c(data)
    assert crc32c(data[size // 2 :], crc32c(data[: size // 2])) == crc32c(data)


def test_a_partitioned_variable_is_one_value():
    bundle = TensorBundle(DATA / "tf1/model.ckpt-1")
    assert len(bundle.entries["table/weights"].slices) == 3
    assert bundle.entries["table/weights"].bytes == 7 * 5 * 4
    value = bundle.read("table/weights")
    assert value.shape == (7, 5)
    np.testing.assert_allclose(value, np.arange(35, dtype="f4").reshape(7, 5) - 0.1)
    bundle.verify_crc("table/weights")
    with pytest.raises(CkptActionError, match="3 parts"):
        bundle.raw("table/weights")


@pytest.mark.parametrize(
    ("extents", "code"),
    [
        # tensorflow/core/lib/strings/ordered_code_test.cc: values around each change of length
        (((0, 63),), b"\x01\x01\x80\xbf"),
        (((64, -1),), b"\x01\x01\xc0\x40\x7f"),
        (((8191, 8192),), b"\x01\x01\xdf\xff\xe0\x20\x00"),
        ((), b"\x00"),
    ],
)
def test_keys_of_slices(extents, code):
    assert slice_key("a", extents) == b"\x00a\x00\x01" + code


def test_a_large_value_is_a_view_of_the_file():
    value = TensorBundle(PINN).read("net/layer_with_weights-1/kernel/.ATTRIBUTES/VARIABLE_VALUE")
    assert not value.flags.owndata
    assert not value.flags.writeable


def test_strings_are_bytes_in_an_object_array():
    value = TensorBundle(DATA / "module/ckpt-1").read("model/words/.ATTRIBUTES/VARIABLE_VALUE")
    assert value.shape == (2, 2)
    assert value.tolist() == [[b"a", b""], ["\N{SNOWMAN}".encode(), b"b" * 200]]


def test_a_flipped_bit_in_the_data_is_seen_wherever_it_lies(tmp_path):
    prefix = copied(PINN, tmp_path)
    key = "net/layer_with_weights-1/kernel/.ATTRIBUTES/VARIABLE_VALUE"
    entry = TensorBundle(prefix).entries[key]
    data = prefix.with_name(prefix.name + ".data-00000-of-00001")
    for at in (entry.offset, entry.offset + entry.bytes // 2, entry.offset + entry.bytes - 1):
        original = data.read_bytes()
        damaged = bytearray(original)
        damaged[at] ^= 0x10
        data.write_bytes(damaged)
        with pytest.raises(CkptActionError, match="checksum") as raised:
            TensorBundle(prefix).read(key)
        with pytest.raises(CkptActionError, match="checksum"):
            TensorBundle(prefix).verify_crc(key)
        assert raised.value.problems[0].code is ExitCode.CHECKPOINT
        assert key in raised.value.problems[0].message
        data.write_bytes(original)
    TensorBundle(prefix).verify_crc(key)


def test_what_has_no_value_is_refused_by_name():
    with pytest.raises(CkptActionError, match="variant"):
        TensorBundle(PINN).read("iterator/.ATTRIBUTES/ITERATOR_STATE")
    with pytest.raises(CkptActionError, match="holds no value 'nope'"):
        TensorBundle(PINN).read("nope")


def test_a_missing_index_and_an_unreadable_one(tmp_path):
    with pytest.raises(CkptActionError, match=r"x\.index is missing"):
        TensorBundle(tmp_path / "x")
    (tmp_path / "y.index").mkdir()
    with pytest.raises(CkptActionError, match="cannot be read"):
        TensorBundle(tmp_path / "y")


def test_opening_a_bundle_loads_no_numpy():
    import subprocess
    import sys

    program = (
        "import sys; from ckpt_action.checkpoint.bundle import TensorBundle as T;"
        f"T({os.fspath(PINN)!r}).object_graph();"
        "assert not {'numpy', 'h5py', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
