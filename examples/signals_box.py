"""A box for hil's signals port: relays, inputs, analogue outputs and ADCs behind TCP, UDP or a serial line.

The board is simulated, and each of its outputs is wired to the input of the same number, so that something is to be
seen without hardware. To serve a real one, put your DIO library where a comment says HERE; nothing else is needed,
this file uses the standard library only.

    python signals_box.py --tcp 127.0.0.1:9100
    python signals_box.py --udp 127.0.0.1:9100
    python signals_box.py --pty                      (prints the name of the serial port to open)

Then talk to it, by `nc 127.0.0.1 9100` for example, a line at a time:

    {"hello":1}
    {"subscribe":["*"]}
    {"set":{"relay_1":1}}
"""

import argparse
import json
import os
import select
import socket
import time
import tty

LONGEST_LINE = 16_384
POLL = 0.002  # s between two looks at the inputs


class Board:
    """The hardware. Outputs are what the controller under test reads, inputs are what it drives."""

    def __init__(self):
        # HERE: open your device.
        self._wires = {}

    def write(self, name, value):
        """Drive an output: a relay (0 or 1) or an analogue output (volts)."""
        # HERE: switch the relay, or set the DAC.
        self._wires[name.replace("relay", "input").replace("dac", "adc")] = value

    def read(self, name):
        """Read an input: a contact (0 or 1) or an ADC (volts)."""
        # HERE: read the contact, or the ADC.
        return self._wires.get(name, 0)


# HERE: what your board has. A "sensor" is an output of the box, which the controller senses; an "actuator" is an
# input of the box, which the controller drives. Without unit and range a signal is a contact.
SIGNALS = {
    **{f"relay_{number}": {"kind": "sensor"} for number in range(1, 9)},
    **{f"dac_{number}": {"kind": "sensor", "unit": "V", "low": -15, "high": 15} for number in range(1, 3)},
    **{f"input_{number}": {"kind": "actuator"} for number in range(1, 9)},
    **{f"adc_{number}": {"kind": "actuator", "unit": "V", "low": -15, "high": 15} for number in range(1, 3)},
}
RESOLUTION = 0.01  # V: an ADC that has moved by less is not told
SENSORS = [name for name, signal in SIGNALS.items() if signal["kind"] == "sensor"]
ACTUATORS = [name for name, signal in SIGNALS.items() if signal["kind"] == "actuator"]


class RequestError(Exception):
    """A request that cannot be carried out."""


class Bench:
    """One bench that talks to the box; `send` takes a line."""

    def __init__(self, send):
        self.send = send
        self.unread = b""
        self.subscribed = []
        self.every = None
        self.told_at = 0.0
        self.watchdog = None
        self.lapsed = False  # silent for too long: it has to greet again
        self.heard_at = time.monotonic()
        self.gone = False

    def tell(self, message):
        try:
            self.send(json.dumps(message).encode() + b"\n")
        except OSError:
            self.gone = True  # it has left, or reads nothing


class Box:
    """Answers benches, tells them of inputs that change, and lets go of the outputs when the bench is lost."""

    def __init__(self, board):
        self.board = board
        self.benches = {}  # by connection, address or file descriptor
        self.values = dict.fromkeys(SIGNALS, 0)
        self.setter = None  # the bench that has set outputs last
        self.rest()

    def receive(self, key, data, send):
        """Bytes of a bench: a line may come in pieces, and several at once."""
        bench = self.benches.setdefault(key, Bench(send))
        bench.heard_at = time.monotonic()
        *lines, bench.unread = (bench.unread + data).split(b"\n")
        if len(bench.unread) > LONGEST_LINE:
            bench.unread = b""
        for line in lines:
            if line.strip():
                bench.tell(self.answer(bench, line) | {"t": time.monotonic()})

    def leave(self, key):
        """A bench has gone."""
        bench = self.benches.pop(key, None)
        if bench is not None and bench is self.setter:
            self.rest()

    def answer(self, bench, line):
        try:
            request = json.loads(line)
        except (ValueError, RecursionError) as error:
            return {"error": str(error)}
        if not isinstance(request, dict):
            return {"error": "an object is needed"}
        try:
            answer = self.carry_out(bench, request)
        except RequestError as error:
            answer = {"error": str(error)}
        return answer | ({"id": request["id"]} if "id" in request else {})

    def carry_out(self, bench, request):
        if "hello" in request:
            bench.watchdog, bench.lapsed = span(request, "watchdog"), False
            bench.subscribed, bench.every = [], None
            return {"hello": 1, "box": "example box", "signals": SIGNALS}
        if bench.lapsed:
            return {"error": "silent for too long, all is at rest: greet again", "code": "hello"}
        if "set" in request:
            self.set(bench, request["set"])
            return {"ok": "set"}
        if "get" in request:
            return {"values": {name: self.values[name] for name in known(request["get"], list(SIGNALS))}}
        if "subscribe" in request:
            bench.subscribed, bench.every = known(request["subscribe"], ACTUATORS), span(request, "every")
            bench.told_at = time.monotonic()
            return {"values": {name: self.values[name] for name in bench.subscribed}}
        raise RequestError("one of the keys hello, set, get, subscribe is needed")

    def set(self, bench, wanted):
        """All of them, or none when one is wrong."""
        if not isinstance(wanted, dict):
            raise RequestError("set needs an object")
        for name in known(list(wanted), SENSORS):
            low, high = SIGNALS[name].get("low", 0), SIGNALS[name].get("high", 1)
            if not isinstance(wanted[name], int | float) or not low <= wanted[name] <= high:
                raise RequestError(f"{name}: {wanted[name]!r} is not within {low}..{high}")
        for name, value in wanted.items():
            self.drive(name, value)
        if wanted:
            self.setter = bench

    def drive(self, name, value):
        self.values[name] = float(value)
        self.board.write(name, float(value))

    def rest(self):
        """What a controller meets when nobody is there: contacts open, no voltage."""
        self.setter = None
        for name in SENSORS:
            self.drive(name, 0)

    def poll(self):
        """To be called often: inputs, subscriptions and watchdogs."""
        now = time.monotonic()
        changed = self.look()
        for bench in list(self.benches.values()):
            event = {name: changed[name] for name in bench.subscribed if name in changed}
            if bench.every and now - bench.told_at >= bench.every:
                event = {name: self.values[name] for name in bench.subscribed}
                bench.told_at = now
            if event:
                bench.tell({"event": event, "t": now})
            if bench.watchdog and now - bench.heard_at > bench.watchdog:
                bench.watchdog, bench.lapsed = None, True
                bench.subscribed, bench.every = [], None
                if bench is self.setter:
                    self.rest()

    def look(self):
        """Inputs that have changed."""
        changed = {}
        for name in ACTUATORS:
            value = self.board.read(name)
            step = RESOLUTION if "unit" in SIGNALS[name] else 0
            if abs(value - self.values[name]) > step:
                self.values[name] = changed[name] = value
        return changed


def span(request, key):
    """Seconds, or None."""
    value = request.get(key)
    if value is not None and not (isinstance(value, int | float) and 0.001 <= value <= 3600):
        raise RequestError(f"{key}: {value!r} is not within 0.001..3600 s")
    return value


def known(names, allowed):
    """The names of a request; a star stands for all."""
    if not isinstance(names, list):
        raise RequestError("a list of names is needed")
    if "*" in names:
        return allowed
    for name in names:
        if name not in allowed:
            raise RequestError(f"no signal {name!r} for that; there are {', '.join(allowed)}")
    return names


# --- lines ------------------------------------------------------------------------------------------------


def serve_tcp(box, host, port):
    listener = socket.create_server((host, port))
    print(f"listening on tcp://{host}:{listener.getsockname()[1]}", flush=True)
    connections = []
    while True:
        ready, _, _ = select.select([listener, *connections], [], [], POLL)
        for each in ready:
            if each is listener:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or events wait for company
                connection.settimeout(1.0)  # a bench that reads nothing must not hold up the others
                connections.append(connection)
            else:
                hear(box, connections, each)
        box.poll()
        for each in [each for each in connections if each in box.benches and box.benches[each].gone]:
            drop(box, connections, each)


def hear(box, connections, connection):
    try:
        data = connection.recv(4096)
    except OSError:
        data = b""
    if data:
        box.receive(connection, data, connection.sendall)
    else:
        drop(box, connections, connection)


def drop(box, connections, connection):
    connections.remove(connection)
    box.leave(connection)
    connection.close()


def serve_udp(box, host, port):
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.bind((host, port))
    print(f"listening on udp://{host}:{line.getsockname()[1]}", flush=True)
    while True:
        ready, _, _ = select.select([line], [], [], POLL)
        if ready:
            data, address = line.recvfrom(65535)
            box.receive(address, data, lambda out, to=address: line.sendto(out, to))
        box.poll()


def serve_pty(box):
    """A serial port without hardware. HERE: for a real UART open its device instead of a pty."""
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)  # what nobody reads is lost, as on a real line
    print(f"listening on {os.ttyname(slave)}", flush=True)
    while True:
        ready, _, _ = select.select([master], [], [], POLL)
        if ready:
            box.receive(master, os.read(master, 4096), lambda out: os.write(master, out))
        box.poll()


def main():
    parser = argparse.ArgumentParser(description="An example box for hil's signals port.")
    line = parser.add_mutually_exclusive_group(required=True)
    line.add_argument("--tcp", metavar="HOST:PORT", help="port 0 takes a free one")
    line.add_argument("--udp", metavar="HOST:PORT", help="port 0 takes a free one")
    line.add_argument("--pty", action="store_true", help="a serial line through a pseudo-terminal")
    chosen = parser.parse_args()
    box = Box(Board())
    try:
        if chosen.pty:
            serve_pty(box)
        else:
            host, _, port = (chosen.tcp or chosen.udp).rpartition(":")
            (serve_tcp if chosen.tcp else serve_udp)(box, host, int(port))
    except KeyboardInterrupt:
        box.rest()


if __name__ == "__main__":
    main()
