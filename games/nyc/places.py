"""The places: fifty stylised ones that maps are grown from, the fixed map `midtown`, and the pseudonyms.

Data only. Coordinates are stylised (x east, y north); streets of a grown map come from them, those of `midtown` are
given, and its coordinates serve drawing alone. Not for navigation.
"""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    name: str
    borough: str  # M Manhattan, K Brooklyn, Q Queens, B Bronx
    x: int
    y: int


BOROUGHS = {"M": "Manhattan", "K": "Brooklyn", "Q": "Queens", "B": "the Bronx"}

PLACES = (
    Place("Battery Park", "M", 10, 0),
    Place("Wall Street", "M", 14, 4),
    Place("Tribeca", "M", 8, 12),
    Place("Chinatown", "M", 18, 13),
    Place("Lower East Side", "M", 27, 17),
    Place("SoHo", "M", 10, 20),
    Place("East Village", "M", 24, 26),
    Place("Greenwich Village", "M", 12, 28),
    Place("Chelsea", "M", 6, 39),
    Place("Union Square", "M", 18, 34),
    Place("Gramercy", "M", 25, 37),
    Place("Herald Square", "M", 13, 46),
    Place("Kips Bay", "M", 28, 45),
    Place("Hudson Yards", "M", 2, 50),
    Place("Times Square", "M", 12, 55),
    Place("Grand Central", "M", 22, 52),
    Place("Hell's Kitchen", "M", 5, 62),
    Place("Turtle Bay", "M", 31, 56),
    Place("Rockefeller Center", "M", 17, 62),
    Place("Columbus Circle", "M", 13, 69),
    Place("Lincoln Square", "M", 8, 76),
    Place("Lenox Hill", "M", 30, 71),
    Place("Upper West Side", "M", 12, 91),
    Place("Museum Mile", "M", 27, 86),
    Place("Yorkville", "M", 36, 85),
    Place("Morningside Heights", "M", 15, 110),
    Place("East Harlem", "M", 34, 104),
    Place("Harlem", "M", 25, 117),
    Place("Washington Heights", "M", 19, 146),
    Place("Inwood", "M", 24, 168),
    Place("Brooklyn Heights", "K", 24, -3),
    Place("DUMBO", "K", 27, 3),
    Place("Red Hook", "K", 10, -19),
    Place("Carroll Gardens", "K", 20, -15),
    Place("Park Slope", "K", 32, -25),
    Place("Fort Greene", "K", 37, -6),
    Place("Williamsburg", "K", 46, 12),
    Place("Greenpoint", "K", 47, 31),
    Place("Bushwick", "K", 66, 0),
    Place("Crown Heights", "K", 52, -23),
    Place("Bedford-Stuyvesant", "K", 54, -7),
    Place("Sunset Park", "K", 14, -46),
    Place("Long Island City", "Q", 45, 49),
    Place("Astoria", "Q", 58, 73),
    Place("Sunnyside", "Q", 61, 44),
    Place("Jackson Heights", "Q", 82, 55),
    Place("Flushing", "Q", 128, 62),
    Place("Mott Haven", "B", 44, 123),
    Place("Highbridge", "B", 36, 145),
    Place("Fordham", "B", 52, 172),
)

MIDTOWN = (
    Place("Chelsea", "M", 4, 31),
    Place("Herald Square", "M", 14, 44),
    Place("Hudson Yards", "M", 0, 47),
    Place("Times Square", "M", 10, 57),
    Place("Bryant Park", "M", 18, 53),
    Place("Grand Central", "M", 26, 56),
    Place("Murray Hill", "M", 27, 44),
    Place("Flatiron", "M", 16, 32),
    Place("Gramercy", "M", 28, 31),
    Place("Hell's Kitchen", "M", 1, 66),
    Place("Rockefeller Center", "M", 18, 67),
    Place("Turtle Bay", "M", 36, 58),
    Place("Columbus Circle", "M", 3, 81),
    Place("Carnegie Hall", "M", 13, 79),
    Place("Plaza", "M", 24, 80),
    Place("Sutton Place", "M", 37, 77),
)

# u-v:minutes/billboards
MIDTOWN_STREETS = (
    "0-1:4/0 0-2:4/0 0-7:3/0 7-8:3/0 1-7:3/2 6-8:4/0 1-6:3/1 5-6:3/0 6-11:5/0 1-3:3/5 1-4:3/1 2-3:4/3 2-9:5/0 "
    "3-4:2/5 4-5:3/0 3-9:3/1 3-10:3/5 4-10:3/4 5-10:3/3 5-11:3/0 9-12:4/0 9-13:5/0 10-13:3/2 10-14:3/3 11-15:4/0 "
    "12-13:2/1 13-14:2/0 14-15:4/0 3-13:4/4 5-14:5/1"
)

# from -> to, by number
MIDTOWN_TRIPS = ((0, 14), (8, 12), (2, 15), (7, 13), (0, 15), (9, 8))

# fmt: off
PSEUDONYMS = (
    "Alex", "Blair", "Casey", "Drew", "Ellis", "Frankie", "Gray", "Harper", "Indy", "Jules",
    "Kai", "Lane", "Morgan", "Noel", "Oakley", "Parker", "Quinn", "Reese", "Sage", "Tatum",
)
# fmt: on
