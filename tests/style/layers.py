# SPDX-License-Identifier: Apache-2.0
"""The layers of HACKING.md, as folders: each may include what it names, and itself."""

# Folder of a file -> the layers below it. Headers of a layer stand in include/LAYER,
# private ones beside the code.
BASE = {"base"}
CORE = BASE | {"core"}
MODELS = CORE | {"devices", "virtio", "backend", "boot", "arm64"}

LAYERS = {
    "base": set(),
    "core": BASE,
    "arm64": CORE,
    "devices": CORE,
    "boot": CORE,
    "virtio": CORE,
    "backend": CORE,
    "hyp": CORE | {"arm64"},
    "kvm": CORE | {"arm64", "hyp"},
    "machine": MODELS | {"hyp", "virtio", "backend"},
    "control": MODELS | {"machine", "virtio", "backend"},
    "trial": CORE | {"boot"},
    "init": {"trial"},
    "cli": MODELS | {"machine", "control", "trial", "hyp", "virtio", "backend"},
}

FOLDERS = {
    "src/base": "base",
    "src/core": "core",
    "src/arm64": "arm64",
    "src/backend": "backend",
    "src/kvm": "kvm",
    "src/machine": "machine",
    "src/control": "control",
    "src/trial": "trial",
    "src/init": "init",
    "src/cli": "cli",
    "devices": "devices",
    "virtio": "virtio",
    "boot": "boot",
    **{"include/" + layer: layer for layer in LAYERS},
}

# A header that every layer may see, wherever it stands: an interface for tests is not one.
PRIVATE_FOLDERS = [folder for folder in FOLDERS if not folder.startswith("include/")]


def layer_of(path):
    """The layer that the file at @path (relative to the top) belongs to, or None."""
    folder = path.rpartition("/")[0]
    return FOLDERS.get(folder)
