#!/bin/sh
# Make the virtual environment: setup.sh PYTHON FOLDER. Called by `make setup`; needs python3 with its venv module only.
set -eu
if [ $# -ne 2 ] || [ "$1" = --help ]; then
    sed -n 2p "$0"
    exit 0
fi

# Prints the first interpreter that is new enough: the one asked for, else one that is installed under its own name.
find_python() {
    for candidate in "$1" python3.13 python3.12 python3.11 python3.14 python3 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    echo "Foyer needs Python 3.11 or newer, and found none. Install it, or name it: make setup PYTHON=/path/to/python3" >&2
    exit 1
}

folder=$2
if ! "$folder/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$(find_python "$1")
    echo "Making $folder with $python"
    if ! "$python" -m venv --clear "$folder"; then
        echo "On Debian and Ubuntu the venv module is a package of its own: apt-get install python3-venv" >&2
        exit 1
    fi
fi
echo "Installing what requirements.lock names"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
cp requirements.lock "$folder/requirements.lock"
