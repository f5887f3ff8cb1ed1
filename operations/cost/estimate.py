"""The cost estimate of a stage, as sections: per month when idle, and per number of images."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from infra.config import DeploymentConfig, ModelConfig
from infra.prices import Instance, Price, Prices
from operations.cost.assumptions import Assumptions, Family
from operations.cost.generation import Generation
from operations.cost.idle import idle_items
from operations.cost.inventory import Inventory
from operations.cost.line_item import LineItem, format_usd, total_usd
from operations.cost.services import service_items
from operations.cost.tables import Section, Table

_BILL_COLUMNS = ("item", "calculation", "USD")


@dataclass(frozen=True)
class _Row:
    """An instance type and its speed for a model family.

    Attributes:
        seconds: per image; None if no speed of the GPU is published.
    """

    label: str
    instance: Instance
    seconds: float | None
    idle_tail_s: int


@dataclass(frozen=True)
class Estimate:
    """The estimate of a stage.

    Attributes:
        inventory: the billable resources of the stage's templates.
        images: numbers of images per month.
        measured_s: seconds per image on the stage's instance types; None uses the published speeds, for the
            models of the stage and for all instance types with a price.
    """

    config: DeploymentConfig
    inventory: Inventory
    prices: Prices
    assumptions: Assumptions
    images: tuple[int, ...]
    measured_s: float | None = None

    def sections(self) -> Iterator[Section]:
        """The sections of the estimate.

        Raises:
            UnknownInstanceTypeError: a model's instance type has no price.
        """
        yield self._introduction()
        yield self._idle()
        yield self._method()
        families = self.assumptions.families
        if self.measured_s is None:
            estimated = list(families.values())
            for model in self.config.models:
                yield self._of_stage(model)
            for key, family in families.items():
                yield self._published(key, family)
        else:
            of_stage = [self._family(model) for model in self.config.models]
            estimated = [family for family in families.values() if family in of_stage]
            for model in self.config.models:
                yield self._measured(model, self.measured_s)
        for family in estimated:
            yield self._services(family)

    def _introduction(self) -> Section:
        prices = self.prices
        entries: list[Instance | Price] = [*prices.instances.values(), *prices.services.all()]
        unchecked = sum(each.checked is None for each in entries)
        return Section(
            f"Stage {self.config.stage}",
            (
                (
                    f"Estimates in USD for {prices.region}, on demand, without free tiers and taxes. "
                    f"{unchecked} of the {len(entries)} prices in infra/prices.toml, recorded on "
                    f"{prices.written}, were never compared with AWS's price pages: compare them before you "
                    "rely on a total."
                ),
                (
                    "Not included: the image build, KMS requests, VPC flow logs, noncurrent object versions "
                    "and the cost of an existing VPC."
                ),
            ),
        )

    def _idle(self) -> Section:
        items = idle_items(self.config, self.inventory, self.prices, self.assumptions)
        notes = [
            "The size of a model's weights is that of the family below with the most similar image size."
        ]
        scheduled = [model.name for model in self.config.models if model.scaling.scheduled_minimums]
        if scheduled:
            notes.append(f"Not included: the hours of scheduled minimums of {', '.join(scheduled)}.")
        return Section("Monthly cost without jobs", tuple(notes), _bill(items))

    def _method(self) -> Section:
        usage = self.assumptions.usage
        return Section(
            "How the cost of images is calculated",
            (
                "Each total has three parts: generation + start-up and idle time + services.",
                "Generation: images x seconds per image / 3,600 x price per hour.",
                (
                    "Start-up and idle time: sessions x instances x (start-up + idle tail) / 3,600 x price "
                    f"per hour. There are {usage.sessions_per_day} sessions per day on "
                    f"{usage.days_per_month} days, the start-up takes {usage.start_up_s:g} s, and the idle "
                    "tail is the stage's idle_tail_s. An instance is billed while it starts and while it "
                    "waits for further jobs."
                ),
                (
                    "A session uses as many instances as it needs to generate its images in "
                    f"{usage.session_hours:g} hours. Instances kept by min_instances are billed in "
                    "the table above; images that they generate need no further instance hours."
                ),
                (
                    "With few images, start-up and idle time dominate the total: fewer sessions or a shorter "
                    "idle_tail_s save more than a faster GPU."
                ),
                "Services: see the last tables. Of an instance with several GPUs, one is used.",
            ),
        )

    def _of_stage(self, model: ModelConfig) -> Section:
        """The costs of a model of the stage: its own size, steps, idle tail and instance types."""
        family, defaults = self._family(model), model.defaults
        share = defaults.width * defaults.height / family.side**2 * defaults.steps
        rows = []
        for name in model.instance_types:
            instance = self.prices.instance(name)
            speed = self.assumptions.speed(self._key(family), instance.gpu)
            seconds = share / speed.steps_per_s if speed else None
            rows.append(_Row(name, instance, seconds, model.scaling.idle_tail_s))
        notes = [
            (
                f"From published speeds of {family.name} at {family.side}x{family.side}, in proportion to "
                "pixels and steps."
            )
        ]
        unknown = dict.fromkeys(row.instance.gpu for row in rows if row.seconds is None)
        if unknown:
            notes.append(f"None is published for {', '.join(unknown)}: measure, and pass SECONDS_PER_IMAGE=.")
        title = f"Model {model.name}, {defaults.width}x{defaults.height}, {defaults.steps} steps"
        return Section(title, tuple(notes), self._table(family, rows))

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
        note = f"Without a published speed: {missing}. Measure, and pass SECONDS_PER_IMAGE=."
        return Section(family.title, (note,) if missing else (), self._table(family, rows))

    def _measured(self, model: ModelConfig, seconds: float) -> Section:
        family, tail = self._family(model), model.scaling.idle_tail_s
        rows = [_Row(name, self.prices.instance(name), seconds, tail) for name in model.instance_types]
        return Section(
            f"Model {model.name}, measured {seconds:g} s per image",
            (f"Services are estimated for images of {family.image_mb:g} MB, as for {family.name}.",),
            self._table(family, rows),
        )

    def _family(self, model: ModelConfig) -> Family:
        return self.assumptions.family_of(model.defaults.width, model.defaults.height)

    def _key(self, family: Family) -> str:
        return next(key for key, each in self.assumptions.families.items() if each is family)

    def _table(self, family: Family, rows: list[_Row]) -> Table:
        counts = tuple(f"{images:,} images" for images in self.images)
        columns = ("instance type", "GPU", "s/image", *counts, f"per image of {self.images[-1]:,}")
        cells = tuple(
            (
                row.label,
                row.instance.gpu
                if row.instance.gpus == 1
                else f"{row.instance.gpu}, 1 of {row.instance.gpus} used",
                *self._figures(family, row),
            )
            for row in rows
        )
        return Table(columns, cells, numeric_columns=frozenset(columns[2:]))

    def _figures(self, family: Family, row: _Row) -> list[str]:
        """The cells of the numeric columns."""
        if row.seconds is None:
            return ["unknown", *("" for _ in self.images), ""]
        costs = [self._cost(family, row, row.seconds, images) for images in self.images]
        per_image = costs[-1][1] / self.images[-1]
        return [f"{row.seconds:.2f}", *(text for text, _ in costs), f"{per_image:.5f}"]

    def _cost(self, family: Family, row: _Row, seconds: float, images: int) -> tuple[str, float]:
        """The calculation of the cost as text, and the total in USD."""
        generation = Generation(
            images, seconds, row.instance.usd_per_hour, row.idle_tail_s, self.assumptions.usage
        )
        services = total_usd(service_items(images, family, self.config, self.prices, self.assumptions))
        parts = (generation.generation_usd, generation.start_and_idle_usd, services)
        return f"{' + '.join(map(format_usd, parts))} = {format_usd(sum(parts))}", sum(parts)

    def _services(self, family: Family) -> Section:
        images = self.images[-1]
        items = service_items(images, family, self.config, self.prices, self.assumptions)
        return Section(f"Services for {images:,} images of {family.name}", (), _bill(items))


def _bill(items: list[LineItem]) -> Table:
    rows = tuple((item.name, item.calculation, format_usd(item.usd)) for item in items)
    return Table(
        _BILL_COLUMNS,
        (*rows, ("total", "", format_usd(total_usd(items)))),
        numeric_columns=frozenset({"USD"}),
    )
