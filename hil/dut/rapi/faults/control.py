"""Faults in what commands do, in the heartbeat and in notifications."""

from __future__ import annotations

from hil.dut.rapi.fault import Fault, cases

FAULTS = (
    Fault(
        "rapi-current-ignored",
        cases("SC.01"),
        "answers a current and does not set it",
        "content",
        lambda c: c.ignoring("SC"),
    ),
    Fault(
        "rapi-current-untold",
        cases("SC.01", "SC.02"),
        "answers a current by a bare OK",
        "content",
        lambda c: c.answering("SC", "OK"),
    ),
    Fault(
        "rapi-no-clamp",
        cases("SC.02"),
        "leaves the old current where one outside the limits is asked for",
        "content",
        lambda c: c.but(clamp=False),
    ),
    Fault("rapi-clamp-ok", cases("SC.02"), "calls a clamped current OK", "content", lambda c: c.but(clamp_ok=True)),
    Fault(
        "rapi-sets-4A",
        cases("SC.02"),
        "takes a current of 5 A",
        "content",
        lambda c: c.but(min_current=4),
    ),
    Fault(
        "rapi-volatile-unlimited",
        cases("SC.03"),
        "takes a volatile current above the stored one",
        "content",
        lambda c: c.but(volatile_max=False),
    ),
    Fault("rapi-no-disable", cases("FN.01"), "does not disable", "sequence", lambda c: c.ignoring("FD")),
    Fault("rapi-no-sleep", cases("FN.02"), "does not sleep", "sequence", lambda c: c.ignoring("FS")),
    Fault(
        "rapi-no-enable",
        cases("FN.01", "FN.02"),
        "does not enable again",
        "recovery",
        lambda c: c.ignoring("FE"),
    ),
    Fault("rapi-no-lock", cases("FN.03"), "does not lock", "sequence", lambda c: c.ignoring("S4")),
    Fault(
        "rapi-limits-anywhere",
        cases("FN.04"),
        "takes limits of a session without a vehicle",
        "content",
        lambda c: c.but(limits_anywhere=True),
    ),
    Fault(
        "rapi-limits-forgotten",
        cases("FN.04"),
        "answers limits of a session and does not keep them",
        "content",
        lambda c: c.ignoring("S3", "SH"),
    ),
    Fault(
        "rapi-clock-unset", cases("FN.05"), "does not set the console's clock", "content", lambda c: c.ignoring("S1")
    ),
    Fault("rapi-timer-unset", cases("FN.05"), "does not keep the delay timer", "content", lambda c: c.ignoring("ST")),
    Fault(
        "rapi-energy-unset",
        cases("FN.05"),
        "does not set the accumulated energy",
        "content",
        lambda c: c.ignoring("SK"),
    ),
    Fault(
        "rapi-beat-unwatched",
        cases("HB.01"),
        "keeps the current without a heartbeat",
        "timing",
        lambda c: c.but(beat_limits=False),
    ),
    Fault(
        "rapi-beat-late",
        cases("HB.01"),
        "waits half as long again for the heartbeat",
        "timing",
        lambda c: c.but(beat_factor=1.5),
    ),
    Fault(
        "rapi-beat-hasty",
        cases("HB.01", "HB.02"),
        "waits a third of the time for the heartbeat",
        "timing",
        lambda c: c.but(beat_factor=0.34),
    ),
    Fault(
        "rapi-beat-forgets",
        cases("HB.03"),
        "wants no acknowledgement of a missed heartbeat",
        "content",
        lambda c: c.but(beat_latches=False),
    ),
    Fault(
        "rapi-beat-keeps",
        cases("HB.03"),
        "does not give the current back",
        "recovery",
        lambda c: c.but(beat_restores=False),
    ),
    Fault(
        "rapi-no-notifications",
        cases("AT.01", "AT.02"),
        "tells nothing by itself",
        "sequence",
        lambda c: c.but(notifies=False),
    ),
    Fault(
        "rapi-capacity-untold",
        cases("AT.02"),
        "does not tell of another capacity",
        "sequence",
        lambda c: c.but(notified=frozenset({"state", "pilot", "flags"})),
    ),
    Fault(
        "rapi-notifies-inside",
        cases("AT.03"),
        "sends a notification between a command and its reply",
        "sequence",
        lambda c: c.but(notify_first=True),
    ),
    Fault(
        "rapi-boot-untold",
        cases("AT.04"),
        "does not tell of a restart",
        "sequence",
        lambda c: c.but(announces_boot=False),
    ),
)
