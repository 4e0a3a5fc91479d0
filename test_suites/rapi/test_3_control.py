"""What a console carries out: the current, functions, heartbeat (sheet serial, 1.3 to 1.5)."""

from __future__ import annotations

from hil.cases import AcPhase, Limit, RapiBench, limit, quantity, requirement, s, seconds

DISABLED, SLEEPING, CHARGING = 0xFF, 0xFE, 0x03
LEAST = 6
HELD_DOWN = -10.0
"""V: with the pilot at -12 V nobody knows whether a vehicle is there."""
UNIT_MAX = 20
"""A that the unit is told to be made for."""
BEAT, SAFE, USUAL = 10, 8, 16
"""Seconds of supervision, current of the fallback, current before; A."""
LONG_BEAT = 60
LATE = limit("rapi-late").high
SESSION_LIMITS = {"time": ("S3", "G3"), "energy": ("SH", "GH")}
LIMIT = 3
SETTINGS: dict[str, tuple[str, tuple[int | str, ...], str]] = {
    "clock": ("S1", (26, 6, 5, 10, 22, 11), "GT"),
    "timer": ("ST", (1, 0, 23, 59), "GD"),
    "energy": ("SK", (12_345,), "GU"),
    "ammeter": ("SA", (221, 1), "GA"),
    "voltmeter": ("SM", (301, 1), "GM"),
    "mennekes": ("S5", ("M",), "G5"),
}
"""Command, parameters, and the query whose last fields tell them again."""
SLOW = 30
"""Seconds that setting and reading the clock take at most; they end before the minute does."""
MISSED, ACKNOWLEDGE = 2, 165


@requirement("RAPI/SC.01")
def test_SC_01(bench: RapiBench) -> None:
    """TP: a current within the limits is taken and told, and the duty cycle follows at once."""
    bench.reach(AcPhase.OFFERED)
    for amps in (16, 6, 20):
        answer = bench.expect(f"{amps} A", f"OK {amps}", "SC", amps)
        bench.check("limit told", bench.get("GC").number("pilot"), equals=amps, unit="A", at=bench.now)
        bench.until(answer.at + LATE)
        bench.check_duty(f"duty cycle of {amps} A", float(amps), at=bench.now)


@requirement("RAPI/SC.02")
def test_SC_02(bench: RapiBench, variant: str) -> None:
    """TP: a current outside the limits is answered NK with the nearest one, which is set."""
    bench.expect("usual current", f"OK {USUAL}", "SC", USUAL)
    most = bench.get("GC").number("hardware_max")
    asked, due = (LEAST - 1, LEAST) if variant == "below" else (most + 1, most)
    bench.expect(f"{asked} A", f"NK {due}", "SC", asked)
    bench.check("limit told", bench.get("GC").number("pilot"), equals=due, unit="A", at=bench.now)


@requirement("RAPI/SC.03")
def test_SC_03(bench: RapiBench) -> None:
    """TP: a volatile current is limited by the stored one and does not change it."""
    bench.expect("stored current", f"OK {USUAL}", "SC", USUAL)
    bench.expect("volatile current", "OK 10", "SC", 10, "V")
    bench.expect("volatile current above the stored one", f"NK {USUAL}", "SC", USUAL + 4, "V")
    bench.check("limit told", bench.get("GC").number("pilot"), equals=USUAL, unit="A", at=bench.now)


@requirement("RAPI/SC.04")
def test_SC_04(bench: RapiBench) -> None:
    """TP: a stored current outlives a restart, and a volatile one does not."""
    bench.expect("stored current", f"OK {USUAL}", "SC", USUAL)
    bench.expect("volatile current", "OK 10", "SC", 10, "V")
    bench.restart()
    limits = bench.get("GC")
    bench.check("limit told", limits.number("pilot"), equals=USUAL, unit="A", at=limits.at)
    bench.check("stored limit told", limits.number("configured_max"), equals=USUAL, unit="A", at=limits.at)


@requirement("RAPI/SC.05")
def test_SC_05(bench: RapiBench) -> None:
    """TP: the unit's maximum is stored once, limits the current, and stays when it is to be stored again."""
    low = bench.ask("SC", LEAST - 1, "M")
    bench.check("maximum too low", low.ok, equals=False, at=low.at, note=low.text)
    stored = bench.ask("SC", UNIT_MAX, "M")
    most = UNIT_MAX if stored.ok else stored.number("amps")  # one that was stored before this case stays
    bench.check("maximum", stored.number("amps"), equals=most, unit="A", at=stored.at, note=stored.text)
    bench.expect("current above it", f"NK {most}", "SC", most + 1)
    bench.expect("another maximum", f"NK {most}", "SC", most - 2, "M")
    bench.expect("current of it", f"OK {most}", "SC", most)


@requirement("RAPI/FN.01")
def test_FN_01(bench: RapiBench) -> None:
    """TP: disabling ends the charge, enabling begins it again."""
    _expect_pause(bench, "FD", DISABLED)


@requirement("RAPI/FN.02")
def test_FN_02(bench: RapiBench) -> None:
    """TP: sleeping ends the charge, enabling begins it again."""
    _expect_pause(bench, "FS", SLEEPING)


def _expect_pause(bench: RapiBench, command: str, state: int) -> None:
    dead = quantity("supply-threshold").most
    bench.reach(AcPhase.CHARGING)
    stopped = bench.expect("stop", "OK", command)
    bench.expect_change("output off", "output_voltage", 0.0, dead, after=stopped.at)
    bench.expect_state("state meanwhile", state)
    held = bench.signal("cp_high") < HELD_DOWN
    bench.expect("connected meanwhile", "OK 2" if held else "OK 1", "G0")
    enabled = bench.expect("enable", "OK", "FE")
    bench.expect_change("output on", "output_voltage", dead, 1e9, after=enabled.at)
    bench.expect_state("state afterwards", CHARGING)


@requirement("RAPI/FN.03")
def test_FN_03(bench: RapiBench) -> None:
    """TP: under the authorisation lock there is no charge, and without it there is."""
    dead = quantity("supply-threshold").most
    bench.vehicle.want(True)
    locked = bench.expect("lock", "OK", "S4", 1)
    bench.expect("lock told", "OK 1", "G4")
    bench.plug_in()
    bench.expect_dead("output under the lock", after=locked.at, until=bench.now + s(8))
    unlocked = bench.expect("unlock", "OK", "S4", 0)
    bench.start()
    bench.expect("unlock told", "OK 0", "G4")
    bench.expect_change("output on", "output_voltage", dead, 1e9, after=unlocked.at)


@requirement("RAPI/FN.04")
def test_FN_04(bench: RapiBench, variant: str) -> None:
    """TP: a limit of time or energy is taken and told with a vehicle, and refused without one."""
    command, query = SESSION_LIMITS[variant]
    bench.expect("without a vehicle", "NK", command, LIMIT)
    bench.expect("none told", "OK 0", query)
    bench.reach(AcPhase.OFFERED)
    bench.expect("with a vehicle", "OK", command, LIMIT)
    bench.expect("told", f"OK {LIMIT}", query)
    bench.expect("cancelled", "OK", command, 0)
    bench.expect("none told again", "OK 0", query)


@requirement("RAPI/FN.05")
def test_FN_05(bench: RapiBench, variant: str) -> None:
    """TP: clock, delay timer, accumulated energy, calibration and the lock's mode are told as they were set."""
    command, parameters, query = SETTINGS[variant]
    bench.assume(bench.ask(query).bare != "NK", f"this build lacks {query}")
    before = bench.get(query)
    answer = bench.ask(command, *parameters)
    bench.assume(answer.bare != "NK", f"this build lacks {command}")
    after = bench.get(query)
    due = [str(each) for each in parameters]
    told = after.bare.split()[-len(due) :]
    bench.ask(command, *before.bare.split()[-len(due) :])
    if variant == "clock":
        bench.check("date, hour and minute", " ".join(told[:-1]), equals=" ".join(due[:-1]), at=after.at)
        late = after.number("second") - int(parameters[-1])
        bench.check("seconds after the one that was set", late, low=0, high=SLOW, unit="s", at=after.at)
        return
    bench.check(variant, " ".join(told), equals=" ".join(due), at=after.at)


@requirement("RAPI/HB.01")
def test_HB_01(bench: RapiBench, variant: str) -> None:
    """TP: without a heartbeat the duty cycle falls back to the safe current when the interval has elapsed."""
    supervised = _supervise(bench)
    reached = _fallen(bench, supervised)
    if variant == "in-time":
        bench.assume(reached is not None, "the duty cycle does not fall back")
        within = Limit("heartbeat", s(BEAT), s(BEAT) + LATE, "serial.md 1.5")
        bench.check_window("time to the safe current", (reached or 0) - supervised, within, at=reached or 0)
        return
    bench.check("falls back", reached is not None, equals=True, at=bench.now)
    bench.let(LATE)
    bench.check_duty("duty cycle of the safe current", float(SAFE), at=bench.now)
    bench.check("limit told", bench.get("GC").number("pilot"), equals=SAFE, unit="A", at=bench.now)
    bench.expect("heartbeat told", f"OK {BEAT} {SAFE} {MISSED}", "GY")


def _supervise(bench: RapiBench) -> int:
    """A vehicle at the usual current, and a console that waits for the heart to beat from the instant told."""
    bench.ask("SC", USUAL)
    bench.reach(AcPhase.OFFERED)
    return bench.expect("supervision", f"OK {BEAT} {SAFE} 0", "SY", BEAT, SAFE).asked


def _fallen(bench: RapiBench, after: int) -> int | None:
    """When the duty cycle first told less than the usual current; None when it does not."""
    return bench.time_in_range("cp_duty", 1.0, (SAFE + 2) / 0.6, after, after + s(2 * BEAT))


def _await_miss(bench: RapiBench, supervised: int) -> None:
    """Go on until the console tells of a miss; how late that may be is judged by HB.01 alone."""
    bench.until(supervised + s(BEAT) + LATE)
    while bench.get("GY").number("trigger") != MISSED and bench.now < supervised + s(2 * BEAT):
        bench.let(LATE)


@requirement("RAPI/HB.02")
def test_HB_02(bench: RapiBench) -> None:
    """TP: as long as the heart beats, the current stays."""
    start = _supervise(bench)
    for number in range(1, 5):
        bench.until(start + number * s(BEAT // 2))
        bench.expect(f"pulse at {seconds(bench.now - start):.0f} s", f"OK {BEAT} {SAFE} 0", "SY")
    bench.check_duty("duty cycle", float(USUAL), at=bench.now)


@requirement("RAPI/HB.03")
def test_HB_03(bench: RapiBench) -> None:
    """TP: a missed heartbeat is told until it is acknowledged, which gives the current back."""
    bench.ask("SC", USUAL)
    start = bench.expect("supervision", f"OK {BEAT} {SAFE} 0", "SY", BEAT, SAFE).asked
    _await_miss(bench, start)
    bench.expect("pulse after a miss", f"NK {BEAT} {SAFE} {MISSED}", "SY")
    bench.expect("something else", f"NK {BEAT} {SAFE} {MISSED}", "SY", 3)
    bench.expect("acknowledged", f"OK {BEAT} {SAFE} 1", "SY", ACKNOWLEDGE)
    bench.check("limit given back", bench.get("GC").number("pilot"), equals=USUAL, unit="A", at=bench.now)


@requirement("RAPI/HB.04")
def test_HB_04(bench: RapiBench) -> None:
    """TP: an interval of 0 ends the supervision and gives the current back."""
    bench.ask("SC", USUAL)
    start = bench.expect("supervision", f"OK {BEAT} {SAFE} 0", "SY", BEAT, SAFE).asked
    _await_miss(bench, start)
    bench.check("limit after a miss", bench.get("GC").number("pilot"), equals=SAFE, unit="A", at=bench.now)
    ended = bench.expect("ended", f"OK 0 {SAFE} 0", "SY", 0, SAFE).at
    bench.check("limit given back", bench.get("GC").number("pilot"), equals=USUAL, unit="A", at=bench.now)
    bench.until(ended + 2 * s(BEAT))
    bench.check("limit without supervision", bench.get("GC").number("pilot"), equals=USUAL, unit="A", at=bench.now)
    bench.expect("no supervision told", f"OK 0 {SAFE} 0", "GY")


@requirement("RAPI/HB.05")
def test_HB_05(bench: RapiBench) -> None:
    """TP: a missed heartbeat does not raise a current that is lower than the fallback."""
    bench.ask("SC", LEAST)
    start = bench.expect("supervision", f"OK {BEAT} {SAFE} 0", "SY", BEAT, SAFE).asked
    _await_miss(bench, start)
    bench.expect("miss told", f"OK {BEAT} {SAFE} {MISSED}", "GY")
    bench.check("limit told", bench.get("GC").number("pilot"), equals=LEAST, unit="A", at=bench.now)
    bench.ask("SY", 0, SAFE)


@requirement("RAPI/HB.06")
def test_HB_06(bench: RapiBench) -> None:
    """TP: interval and fallback outlive a restart."""
    bench.expect("supervision", f"OK {LONG_BEAT} {SAFE} 0", "SY", LONG_BEAT, SAFE)
    bench.restart()
    told = bench.get("GY")
    seen = f"{told.number('interval')} {told.number('amps')}"
    bench.check("supervision told", seen, equals=f"{LONG_BEAT} {SAFE}", at=told.at, note=told.text)
    bench.ask("SY", 0, SAFE)
