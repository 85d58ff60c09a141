"""The picture of a match: the city by night with its billboards, every traveller's way, and who deceived whom.

A way is drawn in its traveller's colour, the best route dotted. A bubble is a tip: in its adviser's colour (red for a
Red) on the street it named, filled if it was taken. Where a Red's harmful tip was followed, the way glows red and
bears a number; the panel tells what was said.
"""

from __future__ import annotations

from arena.core import Match
from arena.games.nyc.ledger import Ledger, Move, read
from arena.games.nyc.places import BOROUGHS, MIDTOWN, PLACES, Place
from arena.games.nyc.rules import BLUE, HEAVY, RED
from arena.games.nyc.svg import Box, Point, Style, label, number, path, place_label, spread, tag, wrap

NIGHT, DEEP, PANEL, LINE = "#101a2e", "#0a1120", "#0c1424", "#24324e"
STREET, BRIDGE, INK, QUIET = "#33425f", "#3f5679", "#eef3fb", "#93a3bf"
AMBER, DIM, ALARM = "#ffc23d", "#c98f1d", "#ff4d61"
TRAVELLERS = ("#45c8ff", "#b7ee5c", "#c3a2ff", "#4fe8c0", "#ff9fd0", "#f6efc9")
MAP, SIDE, EDGE, LANE = 860, 400, 70, 7.0
SKYLINE = (34, 58, 46, 80, 52, 66, 40, 96, 62, 74, 48, 110, 70, 56, 84, 44, 64, 90, 50, 72, 38, 60, 78, 42, 54, 68)
FONT = "Inter, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"


def plot(match: Match) -> str:
    """The match so far as one SVG document."""
    picture = _Picture(match)
    side, used = picture.panel()
    height = max(picture.height, used + 24)
    layers = [
        tag("title", f"A match of {match.game.full_name}"),
        picture.ground(height),
        picture.streets(),
        picture.best_routes(),
        picture.ways(),
        picture.billboards(),
        picture.places(),
        picture.marks(),
        picture.names(),
        tag("rect", x=MAP, y=0, width=SIDE, height=height, fill=PANEL),
        side,
    ]
    return tag(
        "svg",
        "\n".join(layers),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {MAP + SIDE} {number(height)}",
        width=MAP + SIDE,
        height=height,
        role="img",
        font_family=FONT,
    )


class _Picture:
    def __init__(self, match: Match) -> None:
        self.match, self.ledger = match, read(match)
        ledger = self.ledger
        table = {p.name: p for p in (MIDTOWN if match.game.config.map == "midtown" else PLACES)}
        self.known: list[Place] = [table[name] for name in ledger.places]
        self.deceived = [m for m in ledger.moves if m.harmful and m.followed and m.adviser_colour == RED]
        blues, reds = len(ledger.of_colour(BLUE)), len(ledger.of_colour(RED))
        panel = 330.0 + 51 * blues + 25 * reds + 62 * min(len(self.deceived), 8)  # about as high as its text
        self.height = max(600.0 + 9 * len(self.known), panel)
        inner = MAP - 2 * EDGE, self.height - 2 * EDGE - 30
        gap = 0.62 * (inner[0] * inner[1] / len(self.known)) ** 0.5
        self.at = [
            Point(p.x + EDGE, p.y + EDGE + 30) for p in spread([(p.x, p.y) for p in self.known], *inner, gap=gap)
        ]
        self.colour = {
            seat: TRAVELLERS[i % len(TRAVELLERS)] for i, seat in enumerate(ledger.of_colour(BLUE))
        } | dict.fromkeys(ledger.of_colour(RED), ALARM)
        self.lanes = _lanes(ledger)

    # --- the map -------------------------------------------------------------------------------------------------

    def ground(self, height: float) -> str:
        """Night sky, and the boroughs' names behind everything."""
        stops = tag("stop", offset="0", stop_color=NIGHT) + tag("stop", offset="1", stop_color=DEEP)
        found = [tag("defs", tag("linearGradient", stops, id="night", x1="0", y1="0", x2="0", y2="1"))]
        found.append(tag("rect", x=0, y=0, width=MAP, height=height, fill="url(#night)"))
        for i, tall in enumerate(SKYLINE):
            found.append(
                tag(
                    "rect",
                    x=i * MAP / len(SKYLINE),
                    y=height - tall,
                    width=MAP / len(SKYLINE) + 0.5,
                    height=tall,
                    fill="#131f38",
                    opacity="0.8",
                )
            )
        for letter, name in BOROUGHS.items():
            own = [at for at, place in zip(self.at, self.known, strict=True) if place.borough == letter]
            if own:
                half = 22.0 * len(name)
                middle = sum(p.x for p in own) / len(own)
                centre = Point(min(max(middle, half), MAP - half), sum(p.y for p in own) / len(own))
                style: Style = {"text_anchor": "middle", "letter_spacing": "14", "font_weight": "700"}
                found.append(label(name.upper(), centre, 40, "#ffffff", opacity="0.06", **style))
        return "\n".join(found)

    def streets(self) -> str:
        found = []
        for street in self.ledger.streets:
            ends = [self.at[street.u], self.at[street.v]]
            bridge = self.known[street.u].borough != self.known[street.v].borough
            wide = 10 + LANE * max(len(self.lanes.get((street.u, street.v), ())) - 1, 0)
            lit: Style = {"stroke": AMBER, "opacity": "0.13"} if street.boards >= HEAVY else {}
            if lit:
                found.append(tag("path", d=path(ends), stroke_width=wide + 14, stroke_linecap="round", **lit))
            found.append(tag("path", d=path(ends), stroke=BRIDGE if bridge else STREET, stroke_width=wide))
            if bridge:
                dash: Style = {"stroke_dasharray": "2 9", "stroke_width": wide}
                found.append(tag("path", d=path(ends), stroke=NIGHT, opacity="0.6", **dash))
            middle = ends[0].towards(ends[1], ends[0].distance(ends[1]) / 2, -(wide / 2 + 9))
            found.append(label(f"{street.minutes}'", Point(middle.x, middle.y + 4), 10.5, QUIET, text_anchor="middle"))
        return tag("g", "\n".join(found), fill="none")

    def best_routes(self) -> str:
        found = []
        for seat, journey in self.ledger.journeys.items():
            points = [self.at[place] for place in journey.trip.route]
            style: Style = {
                "stroke_dasharray": "1 7",
                "stroke_width": 2.6,
                "stroke_linecap": "round",
                "opacity": "0.75",
            }
            found.append(tag("path", d=path(points), stroke=self.colour[seat], **style))
        return tag("g", "\n".join(found), fill="none")

    def ways(self) -> str:
        """Every walked street in its lane; a deceived one glows red underneath."""
        under, over = [], []
        for move in self.ledger.moves:
            if move.to is None:
                continue
            points = self._lane(move)
            if move in self.deceived:
                under.append(tag("path", d=path(points), stroke=ALARM, stroke_width=11, opacity="0.85"))
            colour = self.colour[move.seat]
            over.append(tag("path", d=path(points), stroke=colour, stroke_width=3.6))
            tip = points[1].towards(points[2], points[1].distance(points[2]) * 0.62)
            wings = [tip.towards(points[2], -7, aside) for aside in (4.6, -4.6)]
            nose = tip.towards(points[2], 5)
            over.append(tag("path", d=path([nose, *wings]) + "Z", fill=colour, stroke=DEEP, stroke_width=0.8))
        return tag("g", "\n".join([*under, *over]), fill="none", stroke_linejoin="round", stroke_linecap="round")

    def billboards(self) -> str:
        """One lit board on its post for each billboard, in a row beside the street."""
        found = []
        for street in self.ledger.streets:
            start, end = self.at[street.u], self.at[street.v]
            side = 13 + LANE * max(len(self.lanes.get((street.u, street.v), ())) - 1, 0) / 2
            step = min(14.0, (start.distance(end) - 40) / max(street.boards, 1))
            first = start.distance(end) / 2 - step * (street.boards - 1) / 2
            fill = AMBER if street.boards >= HEAVY else DIM
            for k in range(street.boards):
                at = start.towards(end, first + k * step, side)
                found.append(tag("path", d=path([at, Point(at.x, at.y + 7)]), stroke=QUIET, stroke_width=1.2))
                board: Style = {"width": 11, "height": 7.5, "rx": 1.2, "stroke": DEEP, "stroke_width": 0.8}
                found.append(tag("rect", x=at.x - 5.5, y=at.y - 6, fill=fill, **board))
        return "\n".join(found)

    def places(self) -> str:
        """Crossings, with a ring for each trip that starts there and a flag for each that ends."""
        found = []
        trips = [(seat, journey.trip) for seat, journey in self.ledger.journeys.items()]
        for place, at in enumerate(self.at):
            found.append(tag("circle", cx=at.x, cy=at.y, r=8, fill=DEEP, stroke=INK, stroke_width=2.2))
            for k, seat in enumerate(seat for seat, trip in trips if trip.origin == place):
                ring: Style = {"fill": "none" if k else self.colour[seat], "stroke": self.colour[seat]}
                found.append(tag("circle", cx=at.x, cy=at.y, r=5 + 7 * k, stroke_width=2.5, **ring))
            for k, seat in enumerate(seat for seat, trip in trips if trip.destination == place):
                found.append(_flag(Point(at.x + 9 * k, at.y), self.colour[seat]))
        return "\n".join(found)

    def names(self) -> str:
        """The places' names where they hide least; those where a trip starts or ends are bold."""
        trips = [journey.trip for journey in self.ledger.journeys.values()]
        flags = [self.at[trip.destination] for trip in trips]
        ends = {place for trip in trips for place in (trip.origin, trip.destination)}
        taken = [Box(p.x - 11, p.y - 11, p.x + 11, p.y + 11) for p in self.at]
        taken += [Box(p.x, p.y - 28, p.x + 22, p.y) for p in flags]
        busy = [
            self.at[s.u].towards(self.at[s.v], self.at[s.u].distance(self.at[s.v]) * k / 12)
            for s in self.ledger.streets
            for k in range(1, 12)
        ]
        found, frame = [], Box(6, 44, MAP - 6, self.height)
        halo: Style = {"stroke": DEEP, "stroke_width": 3.4, "paint_order": "stroke", "stroke_linejoin": "round"}
        for place, at in enumerate(self.at):
            name = self.known[place].name
            placed = place_label(name, at, 13, taken, busy, frame)
            taken.append(placed.box)
            heavy: Style = {"font_weight": "700"} if place in ends else {}
            found.append(label(name, placed.at, 13, INK, text_anchor=placed.anchor, **halo, **heavy))
        return "\n".join(found)

    def marks(self) -> str:
        """A bubble for every tip on the street it named; numbers where somebody was deceived."""
        found, crowd = [], dict[tuple[int, int | None], int]()
        for move in self.ledger.moves:
            if move.adviser is None:
                continue
            spot = move.place, move.go
            nth = crowd[spot] = crowd.get(spot, -1) + 1
            if move.go is None:
                here = self.at[move.place]
                at, colour = Point(here.x - 19, here.y - 13 * (nth + 1)), QUIET
            else:
                at, colour = self.at[move.place].towards(self.at[move.go], 22 + 15 * nth), self.colour[move.adviser]
            found.append(_bubble(at, colour, filled=bool(move.followed)))
        for k, move in enumerate(self.deceived):
            points = self._lane(move)
            at = points[1].towards(points[2], points[1].distance(points[2]) * 0.42)
            found.append(_disc(at, str(k + 1)))
        return "\n".join(found)

    def _lane(self, move: Move) -> tuple[Point, Point, Point, Point]:
        """A move's line: out of the place, along its own lane of the street, into the next place."""
        if move.to is None:
            raise ValueError("a lost turn has no way")
        u, v = sorted((move.place, move.to))
        lanes = self.lanes[u, v]
        off = LANE * (lanes.index(move.turn) - (len(lanes) - 1) / 2)
        aside = off if move.place == u else -off
        start, end = self.at[move.place], self.at[move.to]
        return start, start.towards(end, 20, aside), end.towards(start, 20, -aside), end

    # --- the panel -----------------------------------------------------------------------------------------------

    def panel(self) -> tuple[str, float]:
        """Who travelled, who lied, what was said; and how far down it goes."""
        config, found, left = self.match.game.config, list[str](), MAP + 28
        title = "Midtown" if config.map == "midtown" else "A night in New York"
        found.append(label(title, Point(left, 50), 25, INK, font_weight="700"))
        some = "one local is" if config.n_red == 1 else f"{config.n_red} of the locals are"
        about = f"{config.n_blue} travellers, {some} paid per billboard"
        found.append(label(about, Point(left, 73), 12.5, QUIET))
        y = 112.0
        found.append(_heading("TRAVELLERS", left, y))
        for seat in self.ledger.journeys:
            found.append(self._traveller(seat, left, y + 26))
            y += 52
        y += 34
        found.append(_heading("PAID PER BILLBOARD", left, y))
        for seat in self.ledger.of_colour(RED):
            y += 25
            earned = self.ledger.revenue(seat)
            found.append(tag("circle", cx=left + 6, cy=y - 4, r=6, fill=ALARM))
            found.append(label(self.ledger.names[seat], Point(left + 22, y), 14, INK, font_weight="700"))
            found.append(label(f"{earned} points", Point(left + 345, y), 13, AMBER, text_anchor="end"))
        y += 42
        lines, y = self._deceptions(left, y)
        legend, y = _legend(left, max(y + 14, self.height - 92))
        return "\n".join([*found, *lines, legend]), y

    def _traveller(self, seat: str, left: float, y: float) -> str:
        journey, names = self.ledger.journeys[seat], self.ledger.places
        trip, colour = journey.trip, self.colour[seat]
        state = "in time" if journey.arrived else "late" if journey.late else "on the way"
        way = f"{names[trip.origin]} to {names[trip.destination]}"
        facts = f"{journey.clock} of {trip.deadline} min, {journey.exposure} billboards, {state}"
        return "\n".join(
            [
                tag("rect", x=left, y=y - 10, width=12, height=30, rx=3, fill=colour),
                label(self.ledger.names[seat], Point(left + 22, y), 14, INK, font_weight="700"),
                label(wrap(way, 42, 1)[0], Point(left + 88, y), 12.5, QUIET),
                label(facts, Point(left + 22, y + 18), 12.5, INK),
                tag("rect", x=left + 250, y=y + 9, width=60, height=8, rx=4, fill=LINE),
                tag("rect", x=left + 250, y=y + 9, width=max(60 * journey.own, 1.0), height=8, rx=4, fill=colour),
                label(f"{journey.own:.2f}", Point(left + 345, y + 18), 12.5, colour, text_anchor="end"),
            ]
        )

    def _deceptions(self, left: float, y: float) -> tuple[list[str], float]:
        """The numbered list: who sent whom where, the words, and what it cost."""
        found = [_heading("WHO DECEIVED WHOM", left, y)]
        if not self.deceived:
            found.append(label("Nobody was led astray.", Point(left, y + 26), 13, INK))
            return found, y + 40
        names, places = self.ledger.names, self.ledger.places
        said = {(e.facts["round"], e.audience): e.facts for e in self.match.events if e.kind == "tip"}
        y += 8
        for k, move in enumerate(self.deceived[:8]):
            y += 24
            found.append(_disc(Point(left + 9, y - 5), str(k + 1)))
            head = f"{names[move.adviser or '']} sent {names[move.seat]} to {places[move.to or 0]}"
            cost = f"+{move.regret} cost" if move.regret is not None else ""
            size = 13 * min(1.0, 32 / len(head))  # beside the cost, also in a wide font
            found.append(label(head, Point(left + 26, y), size, INK, font_weight="700"))
            found.append(label(cost, Point(left + 345, y), 12.5, AMBER, text_anchor="end"))
            words = said.get((move.round, (move.seat,)), {}).get("text", "")
            for line in wrap(f"“{words}”", 50, 2) if words else []:
                y += 17
                found.append(label(line, Point(left + 26, y), 12.5, QUIET, font_style="italic"))
            y += 4
        if len(self.deceived) > 8:
            y += 22
            found.append(label(f"and {len(self.deceived) - 8} more", Point(left + 26, y), 12.5, QUIET))
        return found, y + 16


def _lanes(ledger: Ledger) -> dict[tuple[int, int], list[int]]:
    """Street -> the moves (by turn) that used it, one lane each."""
    found: dict[tuple[int, int], list[int]] = {}
    for move in ledger.moves:
        if move.to is not None:
            u, v = sorted((move.place, move.to))
            found.setdefault((u, v), []).append(move.turn)
    return found


def _flag(at: Point, colour: str) -> str:
    pole = path([Point(at.x, at.y - 2), Point(at.x, at.y - 27)])
    cloth = path([Point(at.x, at.y - 27), Point(at.x + 15, at.y - 22), Point(at.x, at.y - 16)])
    return tag("path", d=pole, stroke=INK, stroke_width=1.8) + tag("path", d=f"{cloth}Z", fill=colour)


def _bubble(at: Point, colour: str, *, filled: bool) -> str:
    """A little speech bubble."""
    x, y = at.x, at.y
    outline = [(-7, -6), (7, -6), (7, 3), (0, 3), (-4, 8), (-4, 3), (-7, 3)]
    d = path([Point(x + dx, y + dy) for dx, dy in outline]) + "Z"
    fill, edge, width = (colour, DEEP, 1.2) if filled else (DEEP, colour, 1.8)
    return tag("path", d=d, fill=fill, stroke=edge, stroke_width=width, stroke_linejoin="round")


def _disc(at: Point, text: str) -> str:
    centre: Style = {"text_anchor": "middle", "font_weight": "700"}
    disc = tag("circle", cx=at.x, cy=at.y, r=9, fill=ALARM, stroke=DEEP, stroke_width=1.5)
    return disc + label(text, Point(at.x, at.y + 4), 11.5, "#ffffff", **centre)


def _heading(text: str, left: float, y: float) -> str:
    line = tag("path", d=path([Point(left, y + 7), Point(left + 345, y + 7)]), stroke=LINE, stroke_width=1)
    return label(text, Point(left, y), 11, QUIET, letter_spacing="1.5", font_weight="700") + line


def _legend(left: float, y: float) -> tuple[str, float]:
    """What the signs mean, in three rows."""
    line: Style = {"stroke": INK, "stroke_width": 3.2, "stroke_linecap": "round"}
    signs = (
        ("way taken", tag("path", d="M-11 0L11 0", **line)),
        ("best route", tag("path", d="M-11 0L11 0", **line, stroke_dasharray="1 7")),
        ("billboard", tag("rect", x=-5.5, y=-4, width=11, height=7.5, rx=1.2, fill=AMBER)),
        ("tip taken", _bubble(Point(0, 0), TRAVELLERS[0], filled=True)),
        ("tip not taken", _bubble(Point(0, 0), TRAVELLERS[0], filled=False)),
        ("a Red's tip", _bubble(Point(0, 0), ALARM, filled=True)),
        ("start", tag("circle", cx=0, cy=0, r=5, fill=TRAVELLERS[0])),
        ("destination", _flag(Point(-4, 14), INK)),
        ("deceived", _disc(Point(0, 0), "1")),
    )
    found = []
    for i, (meaning, sign) in enumerate(signs):
        x, below = left + 11 + 118 * (i % 3), y + 25 * (i // 3)
        found.append(tag("g", sign, transform=f"translate({number(x)} {number(below - 4)})"))
        found.append(label(meaning, Point(x + 19, below), 12, QUIET))
    return "\n".join(found), y + 25 * 3
