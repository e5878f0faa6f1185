"""Reads metrics as Prometheus does, by its own library: standard input to a line of JSON per sample.

A sample is `[name, {label: value}, value]`. What Prometheus' conventions want of a metric is checked as well; a fault ends this
program with a sentence.
"""

import json
import sys

from prometheus_client.parser import text_string_to_metric_families

names, samples = set(), set()
for family in text_string_to_metric_families(sys.stdin.read()):
    if family.name in names:
        sys.exit(f"{family.name} stands twice")
    names.add(family.name)
    if not family.documentation:
        sys.exit(f"{family.name} has no help")
    if family.type not in ("counter", "gauge", "histogram"):
        sys.exit(f"{family.name} is of the type {family.type}")
    for sample in family.samples:
        # The library takes _total off a counter's name, and gives it back to its samples.
        if family.type == "counter" and not sample.name.endswith("_total"):
            sys.exit(f"{sample.name} is a counter and does not end with _total")
        if family.type == "gauge" and sample.name.endswith("_total"):
            sys.exit(f"{sample.name} is no counter and ends with _total")
        key = (sample.name, tuple(sorted(sample.labels.items())))
        if key in samples:
            sys.exit(f"{key} stands twice")
        samples.add(key)
        print(json.dumps([sample.name, sample.labels, sample.value]))
