"""What CCS tells of the output: each value as the codec rounds it, however little it has changed since the last one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hil.conformance.register import resolve
from hil.dut.gbt27930 import Charger, reference
from hil.protocol.gbt27930 import CCS, edition
from hil.units import Instant, minutes, ms

_READINGS = st.lists(
    st.tuples(
        st.floats(0.0, 950.0),
        st.floats(0.0, 400.0),
        st.sampled_from([0.0, 0.001, 0.049, 0.05, 0.051, 0.1, -0.05]),
        st.booleans(),
        st.integers(0, minutes(2)),
    ),
    min_size=1,
    max_size=8,
)


@settings(derandomize=True, database=None, deadline=None)
@given(readings=_READINGS)
def test_ccs_tells_what_is_measured_to_the_nearest_step(readings: list[tuple[float, float, float, bool, int]]) -> None:
    output = {"output_voltage": 0.0, "output_current": 0.0, "meter_energy": 0.0}

    def sense(name: str, now: Instant) -> float:
        return output[name]

    charger = Charger(reference(resolve({})), sense, edition("2015"))
    now = 0
    for volts, amperes, step, permitted, passed in readings:
        now += passed
        # The same again, a little more, and a little less, as an output that drifts over the border of a step.
        for change in (0.0, step, -step):
            output["output_voltage"] = max(round(volts, 1) + change, 0.0)
            output["output_current"] = max(round(amperes, 1) + change, 0.0)
            charger.permitted = permitted
            now += ms(50)
            told = charger.compose.frame("CCS", now).data
            expected = CCS(
                voltage=output["output_voltage"],
                current=-output["output_current"],
                charging_time=0,  # no charge has begun
                charging_permitted=int(permitted),
            )
            assert told == expected.encode()
