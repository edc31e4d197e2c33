"""Compares what squall wrote of a run with what the wire shows.

    audit.py --record FILE --scenario FILE --results FOLDER

Prints every figure with both values and ends with 1 if any differs, with 0 otherwise.
"""

import argparse
import json
import os
import re
import sys
from fractions import Fraction

import hdr
import mqtt
import outcomes
import tables
from responses import Responses
from exchanges import Exchanges
from messages import Messages
from times import Times, widened
from wire import Scenario, Wire, nanos

# Nanoseconds: a whole millisecond of `{now_ms}`, and what the most punctual message of a run may be
# late on a busy machine.
MOST_PUNCTUAL = 50_000_000
SHARES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99.9": 0.999, "p99.99": 0.9999}


class Audit:
    """The comparison of one run."""

    def __init__(self, arguments):
        load = lambda name: json.load(open(os.path.join(arguments.results, name), encoding="utf-8"))
        self.folder = arguments.results
        self.run, self.summary = load("run.json"), load("summary.json")["summary"]
        self.measured = self.run["measured"]
        self.scenario = Scenario(arguments.scenario)
        self.wire = Wire(arguments.record, self.scenario)
        phase = {each["kind"]: each for each in self.run["times"]["phases"]}
        self.window = tuple(round(phase["measure"][end] * 1e9) for end in ("start_s", "end_s"))
        self.messages = Messages(self.wire)
        self.publications, self.deliveries = self.messages.publications(), self.messages.deliveries()
        self.times = Times(self.wire, self.messages, self.window)
        self.differences = 0

    def say(self, figure, squall, wire, agrees):
        self.differences += not agrees
        print(f"{'' if agrees else 'DIFFERS '}{figure}: squall {squall}, wire {wire}")

    def equal(self, figure, squall, wire):
        self.say(figure, squall, wire, squall == wire)

    def within(self, figure, squall, bounds):
        low, high = bounds
        shown = f"{low:g}" if low == high else f"{low:.5g} to {high:.5g}"
        self.say(figure, squall, shown, squall is not None and low <= squall <= high)

    def everything(self):
        self.clock()
        self.phases()
        self.books()
        self.sums()
        self.connections()
        self.rates()
        self.qos2()
        self.wills()
        self.takeovers()
        self.responses()
        self.retained()
        self.distributions()
        self.summed_distributions()
        tables.compare(self)
        return self.differences

    def clock(self):
        """`{now_ms}` in the payloads is Unix time of the moment that the stamp names: there is a
        beginning of squall's clock that fits them all."""
        earliest, latest = self.wire.epoch
        self.within("{now_ms} leaves open when squall's clock began, ns", latest - earliest,
                    (0, MOST_PUNCTUAL))

    def phases(self):
        begin, end = self.window
        self.equal("length of the measured part, ns", end - begin, self.scenario.duration)
        warmup = [each for each in self.run["times"]["phases"] if each["kind"] == "warmup"]
        length = sum(round((each["end_s"] - each["start_s"]) * 1e9) for each in warmup)
        self.equal("length of the warm-up, ns", length, self.scenario.warmup)
        # Load begins with the warm-up; the first message of an even stream is due just then.
        first = min((each.due for each in self.messages.sent.values()), default=None)
        if first is not None:
            self.equal("first message is due, ns", begin - self.scenario.warmup, first)

    def books(self):
        for title, theirs, ours in (
            ("published", self.measured["accounting"]["publications"], self.publications),
            ("delivered", self.measured["accounting"]["deliveries"], self.deliveries),
        ):
            rows = {(row["group"], row["qos"]): row for row in theirs}
            empty = {key: 0 for book in ours.values() for key in book}
            for key in sorted(rows.keys() | ours.keys()):
                for column, value in ours.get(key, empty).items():
                    squall = rows.get(key, {}).get(column, 0)
                    self.equal(f"{title} {key[0]} QoS {key[1]} {column}", squall, value)
        for row in self.measured["accounting"]["publications"]:
            group, qos = row["group"], row["qos"]
            due = self.due(group, qos)
            if due is not None:
                self.equal(f"published {group} QoS {qos} scheduled", row["scheduled"], due)

    def due(self, group, qos):
        """Messages due by the formula of an even stream: the n-th of device i of N is due at
        (n + i / N) / rate from the beginning of the load, and before its end."""
        total, group = 0, self.scenario.groups[group]
        if "respond" in group:
            return None     # what is due depends on what comes
        length = Fraction(self.scenario.warmup + self.scenario.duration, 10**9)
        for stream in group["publish"]:
            if stream.get("arrival", "even") != "even":
                return None
            if stream["qos"] != qos:
                continue
            count = group["count"]
            if "every" in stream:
                rate = Fraction(10**9, nanos(stream["every"]))
            else:
                rate = Fraction(str(stream["rate"])) / count
            for index in range(count):
                whole = length * rate - Fraction(index, count)
                total += max(0, -(-whole.numerator // whole.denominator))
        return total

    def sums(self):
        for name in ("expected", "delivered", "lost", "duplicated", "forbidden", "reordered", "corrupted", "mislabelled",
                     "misrouted"):
            wire = sum(book[name] for book in self.deliveries.values())
            self.equal(f"summary {name}", self.summary[name], wire)
        for name in ("in_doubt", "in_doubt_came", "forgotten"):
            wire = sum(book[name] for book in self.publications.values())
            self.equal(f"summary {name}", self.summary[name], wire)
        wire = sum(book["duplicated"] for key, book in self.deliveries.items() if key[1] == 2)
        self.equal("summary duplicated_at_qos2", self.summary["duplicated_at_qos2"], wire)
        self.within("summary peak_online", self.summary["peak_online"],
                    outcomes.peak_online(self.wire))
        for kind, wire in (("lost", self.messages.lost), ("duplicated", self.messages.duplicated),
                           ("reordered", self.messages.reordered),
                           ("corrupted", self.messages.corrupted),
                           ("mislabelled", self.messages.mislabelled)):
            named = sorted((each["topic"], each["sequence"]) for each in self.measured["anomalies"]
                           if each["kind"] == kind)
            self.equal(f"messages named as {kind}", named, sorted(each[:2] for each in wire))

    def connections(self):
        hows = {"run ended": "disconnect", "QoS 2 handshake cut on purpose": "rst"}
        for fault in self.scenario.file.get("fault", []):
            how = fault.get("how", fault["action"])
            hows[f"fault {fault['name']}"] = "broker" if how == "silent" else how
        books = outcomes.connections(self.wire)
        for row in self.measured["connections"]["groups"]:
            book = books[row["group"]]
            columns = ["attempts", "connected", "session_present"]
            if not book["is_contended"]:
                # Of devices that share an identifier the wire does not show which came back.
                columns.append("reconnects")
            for column in columns:
                self.equal(f"connections {row['group']} {column}", row[column], book[column])
            ended = {}
            for label, count in row["ended"].items():
                how = hows.get(label, "broker")
                ended[how] = ended.get(how, 0) + count
            self.equal(f"connections {row['group']} ended", ended, book["ended"])
            self.equal(f"connections {row['group']} refused", sum(row["refused"].values()),
                       book["refused"])

    def rates(self):
        length = (self.window[1] - self.window[0]) / 1e9
        for name, (low, high) in outcomes.rates(self.wire, self.messages, self.window).items():
            bounds = (low / length - 1e-9, high / length + 1e-9)
            self.within(f"summary {name}_per_s", self.summary[f"{name}_per_s"], bounds)

    def qos2(self):
        exchanges, theirs = Exchanges(self.wire, self.messages), self.measured["qos2"]
        if theirs is None:
            return self.equal("QoS 2 packets", 0, sum(exchanges.legs.values()))
        squall = {(row["side"], row["leg"]): row["count"] for row in theirs["legs"]}
        for key in sorted(squall.keys() | exchanges.legs.keys()):
            self.equal(f"QoS 2 {key[0]} {key[1]}", squall.get(key, 0), exchanges.legs.get(key, 0))
        for name, wire in exchanges.counts.items():
            self.equal(f"QoS 2 {name}", theirs[name], wire)

    def retained(self):
        """What a new subscriber finds: those connections of squall that belong to no group."""
        found = {}
        for one in self.wire.strangers:
            for row in one.packets("to_client", mqtt.PUBLISH):
                if row.packet.retain:
                    found[row.packet.topic] = row.packet.payload
        last = {}
        for message in self.messages.sent.values():
            if message.retain and message.is_ok:
                last[message.topic] = message.first.packet.payload
        for row in self.measured["retained"]:
            if row["equals"] != "last_publish":
                continue
            due = {topic: payload for topic, payload in last.items()
                   if mqtt.matches(row["filter"], topic)}
            right = sum(found.get(topic) == payload for topic, payload in due.items())
            missing = sum(topic not in found for topic in due)
            for column, wire in (
                ("expected", len(due)), ("right", right), ("missing", missing),
                ("wrong", len(due) - right - missing),
                ("unexpected", sum(mqtt.matches(row["filter"], topic) and topic not in due
                                   for topic in found)),
            ):
                self.equal(f"retained {row['filter']} {column}", row[column], wire)

    def wills(self):
        wills = outcomes.Wills(self.wire, self.messages, self.window[0])
        self.equal("wills that no end explains", 0, wills.unexplained)
        rows = {(row["fault"], row["how"]): row for row in self.measured["wills"]}
        for key, book in sorted(wills.books.items(), key=str):
            if not book["ended"] and key not in rows:
                continue
            for column, value in book.items():
                self.equal(f"wills {key[0]} {key[1]} {column}", rows.get(key, {}).get(column, 0), value)
        for (group, fault, how), samples in wills.times.items():
            self.distribution("time_to_will", dict(group=group, fault=fault, how=how), samples)

    def takeovers(self):
        ours, theirs = outcomes.Takeovers(self.wire), self.measured["takeovers"]
        if theirs is None:
            return self.equal("displaced connections", 0, ours.displaced)
        for name, wire in (
            ("contended_ids", ours.contended), ("takeovers", ours.displaced),
            ("displaced_closed", ours.displaced), ("displaced_open", 0),
        ):
            self.equal(f"takeovers {name}", theirs[name], wire)
        codes = {}
        for label, count in theirs["reasons"].items():
            found = re.match(r"0x[0-9a-fA-F]{2}", label)
            codes[("0x" + found[0][2:].upper()) if found else label] = count
        self.equal("takeovers reasons", codes, ours.reasons)
        for group, samples in ours.times.items():
            self.distribution("takeover_time", dict(group=group), samples)

    def responses(self):
        ours = Responses(self.wire, self.messages, self.window)
        theirs = self.measured["responses"]
        if theirs is None:
            return self.equal("requests", 0, len(ours.requests))
        for name, wire in (("requests", len(ours.requests)), ("answered", len(ours.answered)),
                           ("misdirected", ours.misdirected)):
            self.equal(f"responses {name}", theirs[name], wire)
        told = sum(theirs[name] for name in ("answered", "unanswered", "under_way", "lost_at_qos0",
                                             "not_owed"))
        self.equal("responses, every request told", theirs["requests"], told)
        for group, samples in ours.times.items():
            self.distribution("round_trip", dict(group=group), samples)

    def distributions(self):
        for (name, clock, group, qos, late), samples in sorted(self.times.samples.items(), key=str):
            if name == "e2e_latency" and (group, qos) in self.times.unsure:
                continue
            tags = dict(group=group)
            if qos is not None:
                tags["qos"] = str(qos)
            if late:
                tags["late"] = "true"
            if name == "schedule_lag":
                tags["of"] = "message"
            self.distribution(name, tags, samples, clock)

    def summed_distributions(self):
        """The percentiles of `summary.json`, of all groups and QoS together."""
        for field, name, clock in (
            ("e2e_latency", "e2e_latency", "scheduled"), ("e2e_service_time", "e2e_latency", "sent"),
            ("connect_latency", "connect_latency", "scheduled"),
        ):
            # A total is given only where there is one population.
            if self.summary.get(field) is not None:
                if name != "e2e_latency" or not self.times.unsure:
                    self.percentiles(f"summary {field}", figures(self.summary[field]),
                                     self.times.all(name, clock))
        for row in self.summary["e2e_latency_of"]:
            group, qos = row["group"], int(row["qos"])
            if (group, qos) not in self.times.unsure:
                late = "late" if row["late"] else None
                self.percentiles(f"summary e2e_latency_of {group} {qos}", figures(row),
                                 self.times.of("e2e_latency", "scheduled", group, qos, late))

    def percentiles(self, title, given, samples):
        """`given`: what squall says, by `n`, `min`, `mean`, `max`, `p50` and so on; a percentile
        is None or missing that had too few samples."""
        self.within(f"{title} n", given["n"], (len(samples), len(samples) + samples.unsure))
        if given["n"] != len(samples) or not len(samples):
            return
        ranks = {"min": 1, "max": len(samples)}
        for label, value in given.items():
            if value is None or label == "n":
                continue
            if label == "mean":
                bounds = samples.mean_us()
            else:
                bounds = samples.bounds_us(ranks.get(label) or samples.rank(SHARES[label]))
            self.within(f"{title} {label} us", value, widened(bounds))

    def distribution(self, name, tags, samples, clock="scheduled"):
        cells = [cell["histogram"] for cell in self.measured["metrics"]
                 if cell["name"] == name and cell["counted_from"] == clock
                 and cell["tags"]["phase"] != "warmup"
                 and cell["tags"].get("late") == tags.get("late")
                 and all(cell["tags"].get(tag) == value for tag, value in tags.items())]
        title = f"{name} {' '.join(tags.values())}" + ("" if clock == "scheduled" else f" {clock}")
        squall = hdr.Histogram(cells)
        given = {label: squall.quantile(SHARES[label]) for label in ("p50", "p90", "p99")}
        self.percentiles(title, dict(given, n=squall.count, min=squall.min, max=squall.max), samples)


def figures(row):
    """A distribution of `summary.json` as `Audit.percentiles` takes it."""
    return dict(row["percentiles_us"], n=row["count"], mean=row["mean_us"], min=row["min_us"],
                max=row["max_us"])


def main():
    parser = argparse.ArgumentParser()
    for name in ("--record", "--scenario", "--results"):
        parser.add_argument(name, required=True)
    audit = Audit(parser.parse_args())
    differences = audit.everything()
    width = audit.wire.epoch[1] - audit.wire.epoch[0]
    print(f"squall's clock is known to {width / 1e3:.0f} us; {differences} figures differ")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
