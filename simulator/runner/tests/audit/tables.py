"""The CSV tables of a run against the wire: the same figures, as a person opens them."""

import csv
import os

import outcomes

MICROSECOND = 1_000


def compare(audit):
    books(audit, "publications.csv", "published_qos", audit.publications,
          {"of_those_came": "in_doubt_came",
           **{name: name for name in ("sent", "ok", "refused", "in_doubt", "forgotten")}})
    books(audit, "deliveries.csv", "delivered_qos", audit.deliveries,
          {"owed": "expected", "not_owed_came": "optional",
           **{name: name for name in ("delivered", "lost", "duplicated", "forbidden", "reordered", "corrupted", "mislabelled",
                                      "misrouted", "foreign",
                                      "received")}})
    connections(audit)
    wills(audit)
    latencies(audit)
    throughput(audit)


def rows(audit, name):
    path = os.path.join(audit.folder, "tables", name)
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def books(audit, name, level, ours, columns):
    for row in rows(audit, name):
        group, qos = row["group"], int(row[level])
        summed = [book for key, book in ours.items() if key[1] == qos and group in (key[0], "all")]
        for column, key in columns.items():
            audit.equal(f"{name} {group} QoS {qos} {column}", int(row[column]),
                        sum(book[key] for book in summed))


def connections(audit):
    ours = outcomes.connections(audit.wire)
    for row in rows(audit, "connections.csv"):
        of = [book for group, book in ours.items() if row["group"] in (group, "all")]
        for column in ("attempts", "connected", "session_present"):
            audit.equal(f"connections.csv {row['group']} {column}", int(row[column]),
                        sum(book[column] for book in of))


def wills(audit):
    ours = outcomes.Wills(audit.wire, audit.messages, audit.window[0]).books
    names = dict(connections="ended", due="expected", seen="seen", missing="missing",
                 doubled="doubled", unexpected="unexpected")
    for row in rows(audit, "wills.csv"):
        book = ours.get((row["fault"], row["how"]), {})
        for column, key in names.items():
            audit.equal(f"wills.csv {row['fault']} {column}", int(row[column]), book.get(key, 0))


def latencies(audit):
    for row in rows(audit, "latency.csv"):
        qos, _, late = row["published_qos"].partition(", ")
        if row["metric"] == "e2e_latency" and (row["group"], int(qos)) in audit.times.unsure:
            continue
        key = (row["metric"], "scheduled", row["group"], int(qos), late or None)
        given = {label.removesuffix("_us"): float(value) if value else None
                 for label, value in row.items() if label.endswith("_us")}
        samples = audit.times.samples.get(key)
        if samples is None:
            audit.equal(f"latency.csv {' '.join(map(str, key))} n", int(row["n"]), 0)
            continue
        audit.percentiles(f"latency.csv {' '.join(map(str, key))}", dict(given, n=int(row["n"])),
                          samples)


def throughput(audit):
    """Each point of the chart: its bounds are printed to the microsecond. A message that was due
    counts when the generator got to it, which was before it was sent."""
    for row in rows(audit, "throughput.csv"):
        begin, end = (audit.window[0] + round(float(row[edge]) * 1e9) for edge in ("from_s", "to_s"))
        if begin < audit.window[0] or end <= begin:
            continue
        seconds = (end - begin) / 1e9
        inner = outcomes.rates(audit.wire, audit.messages, (begin + MICROSECOND, end - MICROSECOND))
        outer = outcomes.rates(audit.wire, audit.messages, (begin - MICROSECOND, end + MICROSECOND))
        for name, column in (("achieved", "offered_per_s"), ("achieved", "sent_per_s"),
                             ("delivered", "delivered_per_s")):
            count = float(row[column]) * seconds
            audit.within(f"throughput.csv from {row['from_s']} to {row['to_s']} {column} as a count", count,
                         (inner[name][0] - 0.01, outer[name][1] + 0.01))
