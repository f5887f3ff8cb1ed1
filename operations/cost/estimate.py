"""What a stage costs, as sections to read: in a month without use, and by the image."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from infra.config import DeploymentConfig, ModelConfig
from infra.prices import Instance, Price, Prices
from operations.cost.assumptions import Assumptions, Family
from operations.cost.drawing import Drawing
from operations.cost.idle import idle_items
from operations.cost.inventory import Inventory
from operations.cost.item import Item, money, total
from operations.cost.services import service_items
from operations.cost.tables import Section, Table

_BILL = ("item", "arithmetic", "USD")


@dataclass(frozen=True)
class _Row:
    """An instance type that draws a family's images."""

    label: str
    instance: Instance
    seconds: float
    idle_tail_s: int


@dataclass(frozen=True)
class Estimate:
    """A stage, and the figures to count with.

    Attributes:
        inventory: what the stage's templates contain.
        images: a month, each number of which is counted.
        measured_s: seconds an image, for the stage's own instance types; None: the published ones, for
            every instance type.
    """

    config: DeploymentConfig
    inventory: Inventory
    prices: Prices
    assumptions: Assumptions
    images: tuple[int, ...]
    measured_s: float | None = None

    def sections(self) -> Iterator[Section]:
        """A month without use, and images.

        Raises:
            UnknownInstanceTypeError: a model's instance type has no price.
        """
        yield self._introduction()
        yield self._idle()
        yield self._method()
        families = self.assumptions.families
        if self.measured_s is None:
            drawn = list(families.values())
            for key, family in families.items():
                yield self._published(key, family)
        else:
            drawn = [
                family for family in families.values() if family in map(self._family, self.config.models)
            ]
            for model in self.config.models:
                yield self._measured(model, self.measured_s)
        for family in drawn:
            yield self._services(family)

    def _introduction(self) -> Section:
        prices = self.prices
        entries: list[Instance | Price] = [*prices.instances.values(), *prices.services.all()]
        unchecked = sum(each.checked is None for each in entries)
        return Section(
            f"Stage {self.config.stage}",
            (
                (
                    f"Estimates in USD for {prices.region}, on demand, without free tiers and taxes. Of "
                    f"{len(entries)} prices in infra/prices.toml, written down on {prices.written}, "
                    f"{unchecked} were never checked against AWS's price pages: compare them before you "
                    "rely on a sum."
                ),
                (
                    "Not counted: building the image, requests to keys, flow logs, old versions of "
                    "objects, what a VPC of your own costs."
                ),
            ),
        )

    def _idle(self) -> Section:
        items = idle_items(self.config, self.inventory, self.prices, self.assumptions)
        notes = ["Weights are counted as those of the model below whose images are the nearest in size."]
        scheduled = [model.name for model in self.config.models if model.scaling.scheduled_minimums]
        if scheduled:
            notes.append(f"Not counted: the hours of scheduled minimums, of {', '.join(scheduled)}.")
        return Section("A month without use", tuple(notes), _bill(items))

    def _method(self) -> Section:
        use = self.assumptions.use
        return Section(
            "How images are counted",
            (
                "A sum has three parts: drawing + wake-ups + services.",
                "Drawing: images x seconds an image / 3,600 x the price of an hour.",
                (
                    "Wake-ups: sessions x instances x (start-up + idle tail) / 3,600 x the price of an hour. "
                    f"There are {use.sessions_a_day} sessions a day on {use.days_a_month} days, start-up "
                    f"takes {use.start_up_s:g} s, and the idle tail is the stage's idle_tail_s. An instance "
                    "is charged while it starts and while it waits for more work."
                ),
                (
                    "A session has as many instances as are needed to draw its images in "
                    f"{use.session_hours:g} hours. An instance that min_instances keeps is in the table "
                    "above, and draws without further cost."
                ),
                (
                    "Where few images are drawn, the wake-ups are most of the sum: fewer sessions, or a "
                    "shorter idle_tail_s, save more than a faster GPU."
                ),
                "Services: see the last tables. An instance with several GPUs draws with one of them.",
            ),
        )

    def _published(self, key: str, family: Family) -> Section:
        tail = self.config.models[0].scaling.idle_tail_s
        rows, unknown = [], []
        for name, instance in self.prices.instances.items():
            speed = self.assumptions.speed(key, instance.gpu)
            if speed is None:
                unknown.append((instance.gpu, name))
            else:
                rows.append(_Row(name, instance, family.steps / speed.steps_per_s, tail))
        missing = "; ".join(
            f"{gpu} ({', '.join(name for _, name in names)})"
            for gpu, names in groupby(unknown, key=lambda each: each[0])
        )
        notes = [f"No row, because no published speed is known: {missing}. Measure, and use --seconds."]
        return Section(family.title, tuple(notes if missing else []), self._table(family, rows))

    def _measured(self, model: ModelConfig, seconds: float) -> Section:
        family, tail = self._family(model), model.scaling.idle_tail_s
        rows = [_Row(name, self.prices.instance(name), seconds, tail) for name in model.instance_types]
        return Section(
            f"Model {model.name}, {seconds:g} s an image as measured",
            (f"The services are counted for images of {family.image_mb:g} MB, as of {family.name}.",),
            self._table(family, rows),
        )

    def _family(self, model: ModelConfig) -> Family:
        return self.assumptions.family_of(model.defaults.width, model.defaults.height)

    def _table(self, family: Family, rows: list[_Row]) -> Table:
        counts = tuple(f"{images:,} images" for images in self.images)
        columns = ("instance type", "GPU", "s an image", *counts, f"each of {self.images[-1]:,}")
        cells = tuple(
            (
                row.label,
                row.instance.gpu
                if row.instance.gpus == 1
                else f"{row.instance.gpu}, 1 of {row.instance.gpus}",
                f"{row.seconds:.2f}",
                *(self._sum(family, row, images)[0] for images in self.images),
                f"{self._sum(family, row, self.images[-1])[1] / self.images[-1]:.5f}",
            )
            for row in rows
        )
        return Table(columns, cells, numbers=frozenset(columns[2:]))

    def _sum(self, family: Family, row: _Row, images: int) -> tuple[str, float]:
        drawing = Drawing(
            images, row.seconds, row.instance.usd_per_hour, row.idle_tail_s, self.assumptions.use
        )
        services = total(service_items(images, family, self.config, self.prices, self.assumptions))
        parts = (drawing.drawing_usd, drawing.wake_ups_usd, services)
        return f"{' + '.join(map(money, parts))} = {money(sum(parts))}", sum(parts)

    def _services(self, family: Family) -> Section:
        images = self.images[-1]
        items = service_items(images, family, self.config, self.prices, self.assumptions)
        return Section(f"Services for {images:,} images of {family.name}", (), _bill(items))


def _bill(items: list[Item]) -> Table:
    rows = tuple((item.name, item.arithmetic, money(item.usd)) for item in items)
    return Table(_BILL, (*rows, ("total", "", money(total(items)))), numbers=frozenset({"USD"}))
