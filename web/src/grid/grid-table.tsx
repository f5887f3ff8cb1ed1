import type { Lora } from "../api/types.ts";
import { samplers } from "../state/catalog.ts";
import { GridCell } from "./grid-cell.tsx";
import type { AxisData, GridData } from "./grid-data.ts";
import { axisLabel, valueLabel } from "./labels.ts";
import { text } from "./messages.ts";
import { cellKey, indices } from "./plan.ts";

interface GridTableProps {
  readonly id: string;
  readonly data: GridData;
  /** The LoRAs of the grid's requests, whose names its axes show. */
  readonly loras: readonly Lora[] | undefined;
}

/** A grid with the values of its columns above and those of its rows beside its images. */
export function GridTable({ id, data, loras }: GridTableProps) {
  const { x, y, cells } = data;
  const label = ({ path, values }: AxisData, index: number): string =>
    valueLabel(path, values[index], samplers.value);
  return (
    <section
      class="grid-scroller"
      style={{ "--columns": x.values.length }}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable with the keyboard
      tabIndex={0}
      aria-label={text.grid()}
    >
      <table class="grid-table">
        <colgroup>
          {y !== undefined && <col class="grid-row-labels" />}
          <col span={x.values.length} />
        </colgroup>
        <thead>
          <tr>
            {y !== undefined && <td class="grid-corner">{axisLabel(y.path, loras)}</td>}
            <th scope="colgroup" colSpan={x.values.length}>
              {axisLabel(x.path, loras)}
            </th>
          </tr>
          <tr>
            {y !== undefined && <td />}
            {indices(x.values.length).map((column) => (
              <th key={column} scope="col">
                {label(x, column)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {indices(y?.values.length ?? 1).map((row) => (
            <tr key={row}>
              {y !== undefined && <th scope="row">{label(y, row)}</th>}
              {indices(x.values.length).map((column) => (
                <td key={column}>
                  <GridCell
                    grid={id}
                    cell={{ column, row }}
                    job={cells.get(cellKey({ column, row }))}
                    label={[label(x, column), ...(y === undefined ? [] : [label(y, row)])].join(", ")}
                  />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
