#!/usr/bin/env bash
# A load test's 95th percentile below its fastest answer.
#
# One would guess: of three answers that took 1,449 ms each, every percentile is 1,449 ms.
# Seen with locust 2.47.0: get_response_time_percentile(0.95) says 1400, and so would the table and the CSV that locust
#   writes, while the minimum beside it says 1449. For three of 149 ms it says 150, more than the maximum.
# Why: locust counts answers by their time rounded to two digits (steps of 10 ms from 100 ms on, of 100 ms from one
#   second on), so that the table of counts stays small; minimum, maximum and average are kept exactly, and the median
#   is kept between minimum and maximum. A target of "p95 <= 1,400 ms" is met by answers of 1,449 ms.
# What to do: judge by times one has kept oneself.
#
# Output:
#   1449 ms three times: p95 1400, median 1449, least 1449, most 1449
#   149 ms three times: p95 150, median 149, least 149, most 149
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
cd "$scratch"
venv/bin/pip install --quiet --disable-pip-version-check locust==2.47.0
venv/bin/python - <<'PYTHON' 2>/dev/null
from locust.stats import RequestStats

for took_ms, told_ms in ((1449, 1400), (149, 150)):
    stats = RequestStats()
    for _ in range(3):
        stats.log_request("GET", "/", took_ms, 0)
    entry = stats.get("/", "GET")
    p95, median = entry.get_response_time_percentile(0.95), entry.median_response_time
    least, most = entry.min_response_time, entry.max_response_time
    print(f"{took_ms} ms three times: p95 {p95}, median {median}, least {least}, most {most}")
    assert (p95, median, least, most) == (told_ms, took_ms, took_ms, took_ms)
PYTHON
