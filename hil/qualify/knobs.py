"""Knobs: one for each timing limit and direction, each a charger that misses the limit by so much.

A knob turns the reference charger away from the nominal value of the limit. ``own`` is the share of the
reaction that is not the knob's, because it is the power stage's, a contactor's or an earlier step's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from hil.codec.message import Message
from hil.conformance.catalogue import adjustment_time, limit, partner, period, quantity, tail, timeout, window
from hil.dut.gbt27930.spec import ChargerSpec
from hil.errors import CatalogueError
from hil.protocol.gbt27930 import CCS, CEM, CHM, CML, CRM, CRO, CSD, CST, CTS
from hil.protocol.j1939 import TpBehaviour, TpTiming
from hil.protocol.table import State
from hil.qualify.knob import EARLY, LATE, LONG, SHORT, Knob, Turn, late
from hil.qualify.knobs_others import OTHERS
from hil.units import Span, minutes, ms, s, seconds


def _gbt34658(case: str) -> str:
    return f"GBT34658-2017/{case}"


def _gbt27930(case: str) -> str:
    return f"GBT27930-2015/{case}"


def _gbt34657(case: str) -> str:
    return f"GBT34657.1-2017/{case}"


# --- time-outs and periods --------------------------------------------------------------------------

_TIMEOUTS = (
    ("T1", "first CRM(00) to CEM without BRM", "DN.1001", s(5), None),
    ("T2", "first CRM(AA) to CEM without BCP", "DN.2001", s(5), None),
    ("T3", "first CML to CEM without BRO", "DN.2003", s(5), None),
    ("T4", "first CML to CEM while BRO stays at 00", "DN.2005", s(60), "bro-00"),
    ("T5", "last BRO(AA) to CEM during CRO(00)", "DN.2007", s(5), "never-ready"),
    ("T6", "first CRO(AA) to CEM without BCL", "DN.3002", s(1), None),
    ("T7", "first CRO(AA) to CEM without BCS", "DN.3001", s(5), None),
    ("T8", "last BCL to CEM", "DN.3006", s(1), None),
    ("T9", "last BCS to CEM", "DN.3005", s(5), None),
    ("T10", "first CST to CEM without BST", "DN.3009", s(5), None),
    ("T11", "first CST to CEM without BSD", "DN.4001", s(10), None),
)
_PERIODS = (
    ("CHM", CHM, _gbt34658("DP.1001"), None),
    ("CRM00", CRM, _gbt34658("DP.1002"), None),
    ("CRMAA", CRM, _gbt34658("DP.1003"), None),
    ("CML", CML, _gbt34658("DP.2001"), None),
    ("CTS", CTS, _gbt34658("DP.2001"), None),
    ("CRO00", CRO, _gbt34658("DN.2007"), "never-ready"),
    ("CROAA", CRO, _gbt34658("DP.2003"), None),
    ("CCS", CCS, _gbt34658("DP.3001"), None),
    ("CST", CST, _gbt34658("DP.3006"), "soc-reached"),
    ("CSD", CSD, _gbt34658("DP.4001"), None),
    ("CEM", CEM, _gbt34658("DN.1001"), None),
)
_SHOWN = {"CRM00": "CRM(00)", "CRMAA": "CRM(AA)", "CRO00": "CRO(00)", "CROAA": "CRO(AA)"}


def _turned(name: str, sign: int) -> Turn:
    """A span of the charger, longer or shorter by the deviation."""
    return lambda c, d: c.timing(**{name: c.spans[name] + sign * d})


def _timeouts() -> Iterator[Knob]:
    for name, of, case, nominal, variant in _TIMEOUTS:
        late = Knob(
            f"{name} late",
            of,
            LATE,
            _gbt34658(case),
            lambda name=name: timeout(name),  # type: ignore[misc]  # binds the loop's value
            nominal,
            _turned(name, 1),
            most=s(6) if nominal > s(5) else s(1.5),
            variant=variant,
        )
        yield late
        yield replace(late, name=f"{name} early", direction=EARLY, edit=_turned(name, -1), most=ms(500))


def _periods() -> Iterator[Knob]:
    for send, message, requirement, variant in _PERIODS:
        nominal = message.period
        if nominal is None:
            raise CatalogueError(f"{message.name} has no period")
        shown = _SHOWN.get(send, send)
        long = Knob(
            f"{shown} period too long",
            f"interval between two {shown}",
            LONG,
            requirement,
            lambda message=message: period(message),  # type: ignore[misc]  # binds the loop's value
            nominal,
            _turned(send, 1),
            most=nominal // 2,
            variant=variant,
        )
        yield long
        yield replace(long, name=f"{shown} period too short", direction=SHORT, edit=_turned(send, -1))


# --- limits with one side ---------------------------------------------------------------------------


def _slow(trigger: str, **timing: Span) -> Turn:
    """Notices a trigger so late; the time-outs that would come first are put off."""
    return lambda c, span: c.but(slow_to={trigger: max(span, 0)}).timing(**timing)


def _tail(
    send: str, states: tuple[str, ...], message: type[Message], requirement: str, *, before: str = "", variant: str = ""
) -> Knob:
    """A message that goes out once more after what ends it."""
    shown = _SHOWN.get(send, send)
    return late(
        f"{shown} tail before {before}" if before else f"{shown} tail",
        f"{before or 'the message that follows'} to the last {shown}",
        requirement,
        lambda: tail(message),
        lambda c, span: c.doing(states, span, f"say:{send}"),
        most=ms(60),
        variant=variant or None,
    )


_TAILS = (
    _tail("CHM", ("recognise",), CHM, _gbt34658("DP.1002")),
    _tail("CRM00", ("recognised",), CRM, _gbt34658("DP.1003")),
    _tail("CRMAA", ("configure",), CRM, _gbt34658("DP.2001")),
    _tail("CML", ("verify", "precharge", "closing"), CML, _gbt34658("DP.2003")),
    _tail("CROAA", ("charging",), CRO, _gbt34658("DP.3001")),
    _tail("CCS", ("stopping", "answered"), CCS, _gbt34658("DP.3003"), variant="overcurrent"),
    _tail("CML", ("error",), CML, _gbt34658("DN.2003"), before="CEM"),
    _tail("CST", ("error_end",), CST, _gbt34658("DN.4001"), before="CEM"),
)

_PARTNERS = (
    late(
        "T14",
        "BRM to CRM(AA)",
        _gbt34658("DP.1003"),
        lambda: partner("T14"),
        _slow("BRM", T1=s(30)),
    ),
    late(
        "T15",
        "BCP to CML",
        _gbt34658("DP.2001"),
        lambda: partner("T15"),
        _slow("BCP", T2=s(30)),
    ),
    late(
        "T16",
        "BRO(AA) to CRO",
        _gbt34658("DP.2003"),
        lambda: partner("T16"),
        _slow("BROAA", T3=s(30)),
    ),
    late(
        "T18",
        "BCL and BCS to CCS",
        _gbt34658("DP.3001"),
        lambda: partner("T18"),
        _slow("BCS"),
    ),
    late(
        "T19",
        "BST to CST",
        _gbt34658("DP.3006"),
        lambda: partner("T19"),
        _slow("BST", T8=s(30), T9=s(30)),
        variant="soc-reached",
    ),
    late(
        "T20",
        "BSD to CSD",
        _gbt34658("DP.4001"),
        lambda: partner("T20"),
        _slow("BSD", T11=s(30)),
    ),
    late(
        "T21",
        "CEM to CRM(00)",
        _gbt27930("RG.04"),
        lambda: limit("reconnect"),
        lambda c, span: c.timing(cem=span),
    ),
)


def _ends_late(spec: ChargerSpec, span: Span) -> ChargerSpec:
    """BRO(00) ends the preparation with a last CRO(00) after so long."""
    states = {**spec.states, "ending": State(timers=("extra",))}
    spec = spec.but(states=states).timing(extra=max(span, 0))
    spec = spec.with_row("ending", "extra", "closed_down", do=("say:CRO00", "block"))
    return spec.with_row(("verify", "precharge", "closing"), "BRO00", "ending", "ends_on_bro00")


_REACTIONS = (
    late(
        "insulation test",
        "first CHM to first CRM",
        _gbt34658("DP.1002"),
        lambda: limit("insulation-test"),
        lambda c, span: c.timing(insulation=span),
        own=ms(595),
        most=s(3),
    ),
    late(
        "abnormal BSM",
        "abnormal BSM to CST",
        _gbt34658("DP.3003"),
        lambda: limit("reaction"),
        _slow("BSM_abnormal"),
        variant="overcurrent",
    ),
    late("stop button", "stop button to CST", _gbt34658("DP.3007"), lambda: limit("reaction"), _slow("stop_button")),
    late(
        "pause begins",
        "BSM that forbids charging to CCS that says so",
        _gbt34658("DP.3005"),
        lambda: limit("reaction"),
        _slow("BSM_forbidden"),
        own=ms(240),
    ),
    late(
        "pause ends",
        "BSM that allows charging to CCS that says so",
        _gbt34658("DP.3005"),
        lambda: limit("reaction"),
        lambda c, span: c.but(slow_to={"BSM_allowed": max(span, 0)}),
    ),
    late(
        "BRO falls back",
        "BRO(00) to the charger's last frame",
        _gbt34658("DN.2009"),
        lambda: limit("DN.2009-silence"),
        _ends_late,
        reading="dn2007-2009=print",
    ),
    late(
        "start",
        "start to first CHM",
        _gbt34657("D0.1001"),
        lambda: limit("restart"),
        _slow("start"),
        own=ms(135),
        variant="plugged",
    ),
    late(
        "auxiliary supply",
        "last CSD to K3/K4 open",
        _gbt34658("DP.4001"),
        lambda: limit("aux-off"),
        lambda c, span: c.powered(aux_after=max(span, 0)).timing(T23=s(30)),
        own=ms(269),
    ),
    late(
        "TP answer",
        "RTS or last packet to the answer (Tr)",
        _gbt27930("LL.07"),
        lambda: limit("tp-response"),
        lambda c, span: c.but(tp=TpBehaviour(answer_after=max(span, 0))),
    ),
)
_PROTECTION = (
    late(
        "switch S",
        "switch S opens to at most 5 A",
        _gbt34657("D0.4502"),
        lambda: limit("switch-s"),
        _slow("cc1_fault"),
        most=ms(100),
    ),
    late(
        "CC1: CST",
        "CC1 breaks to CST and to K1/K2 open",
        _gbt34657("D0.4503"),
        lambda: limit("cc1-open"),
        _slow("cc1_fault"),
        most=ms(100),
        own=ms(25),
    ),
    late(
        "CC1: K1/K2",
        "CC1 breaks to K1/K2 open",
        _gbt34657("D0.4503"),
        lambda: limit("cc1-open"),
        lambda c, span: c.powered(open_after=max(span, 0)),
        most=ms(100),
        own=ms(25),
    ),
    late(
        "CC1 out of range",
        "CC1 leaves its range to CST and K1/K2 open",
        _gbt34657("D0.6002"),
        lambda: limit("cc1-open"),
        _slow("cc1_fault"),
        most=ms(100),
        variant="below-3.2V",
        own=ms(25),
    ),
    late(
        "protective earth",
        "earth lost to at most 5 A",
        _gbt34657("D0.4505"),
        lambda: limit("pe-lost"),
        _slow("pe_lost"),
        most=ms(100),
    ),
    late(
        "emergency stop",
        "emergency stop to CST",
        _gbt34657("D0.4506"),
        lambda: limit("other-fault"),
        _slow("emergency"),
        most=ms(100),
        variant="emergency-stop",
    ),
    late(
        "AC supply",
        "AC supply lost to K1/K2 open",
        _gbt34657("D0.4506"),
        lambda: limit("ac-lost"),
        _slow("ac_lost"),
        variant="ac-lost",
        own=ms(25),
    ),
    late(
        "overvoltage",
        "output above the vehicle's maximum to K1/K2 open",
        _gbt34657("D0.4504"),
        lambda: limit("over-voltage"),
        _slow("overvoltage"),
        own=ms(75),
    ),
    late(
        "discharge",
        "first CSD to less than 60 V",
        _gbt34657("D0.5001"),
        lambda: limit("discharge"),
        lambda c, span: c.powered(discharge_after=max(span, 0)),
        own=-ms(142),
        variant="active",
    ),
)


def _ramped(field: str, amperes: float) -> Turn:
    """So many amperes take so long: from one demand up to the control error of the other."""
    return lambda c, span: c.powered(**{field: amperes / seconds(span)})


_RAMPS = (
    late(
        "fall by 20 A",
        "lower demand to the current in its range",
        _gbt34657("D0.4103"),
        lambda: adjustment_time(20.0),
        _ramped("fall_ramp", 19.0),
        own=ms(10),
        variant="fall-20A",
    ),
    late(
        "fall by 100 A",
        "lower demand to the current in its range",
        _gbt34657("D0.4103"),
        lambda: adjustment_time(100.0),
        _ramped("fall_ramp", 99.2),
        own=ms(10),
        variant="fall-100A",
    ),
    late(
        "stop",
        "current from 200 A to 5 A at 100 A/s",
        _gbt34657("D0.5101"),
        lambda: window("stop", 0, s(1.95), quantity("stop-rate").source),
        _ramped("stop_ramp", 195.0),
        variant="active",
    ),
)
_WINDOWS = (
    Knob(
        "T22 late",
        "pause to CST",
        LATE,
        _gbt34658("DP.3005"),
        lambda: limit("pause"),
        minutes(10),
        lambda c, d: c.timing(T22=minutes(10) + d),
        most=s(70),
    ),
    Knob(
        "T22 early",
        "pause to CST",
        EARLY,
        _gbt34658("DP.3005"),
        lambda: limit("pause"),
        minutes(10),
        lambda c, d: c.timing(T22=minutes(10) - d),
        most=s(70),
    ),
    Knob(
        "TP T1 late",
        "last packet to the abort",
        LATE,
        _gbt27930("LL.02"),
        lambda: limit("tp-t1"),
        ms(750),
        lambda c, d: c.but(tp_timing=TpTiming(t1=ms(750) + d)),
        most=ms(400),
        variant="after-packet",
    ),
    Knob(
        "TP T1 early",
        "last packet to the abort",
        EARLY,
        _gbt27930("LL.02"),
        lambda: limit("tp-t1"),
        ms(750),
        lambda c, d: c.but(tp_timing=TpTiming(t1=ms(750) - d)),
        most=ms(400),
        variant="after-packet",
    ),
    Knob(
        "TP T2 late",
        "TP.CTS to the abort",
        LATE,
        _gbt27930("LL.02"),
        lambda: limit("tp-t2"),
        ms(1250),
        lambda c, d: c.but(tp_timing=TpTiming(t2=ms(1250) + d)),
        most=ms(400),
        variant="after-rts",
    ),
    Knob(
        "TP T2 early",
        "TP.CTS to the abort",
        EARLY,
        _gbt27930("LL.02"),
        lambda: limit("tp-t2"),
        ms(1250),
        lambda c, d: c.but(tp_timing=TpTiming(t2=ms(1250) - d)),
        most=ms(400),
        variant="after-rts",
    ),
)


def _by_name(*groups: tuple[Knob, ...]) -> Mapping[str, Knob]:
    found: dict[str, Knob] = {}
    for knob in (knob for group in groups for knob in group):
        if knob.name in found:
            raise CatalogueError(f"two knobs are called {knob.name!r}")
        found[knob.name] = knob
    return MappingProxyType(found)


_DC_CHARGER = (tuple(_timeouts()), _WINDOWS, tuple(_periods()), _TAILS, _PARTNERS, _REACTIONS, _PROTECTION, _RAMPS)
KNOBS = _by_name(*_DC_CHARGER, OTHERS)
"""Every knob by name."""
