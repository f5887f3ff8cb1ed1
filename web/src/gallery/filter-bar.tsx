import { useEffect, useState } from "preact/hooks";
import { statusText } from "../jobs/phase-text.ts";
import { models } from "../state/catalog.ts";
import { Button } from "../ui/button.tsx";
import { Icon } from "../ui/icons.tsx";
import { FAVORITE, type Filters, filters, STATUSES, setFilter } from "./filters.ts";
import { text } from "./messages.ts";

/** The list is searched once typing has paused. */
const TYPING_MS = 350;
const MAX_TEXT = 200;
const MAX_TAG = 64;

/** The filters of the gallery. */
export function FilterBar() {
  const { model, status, tag } = filters.value;
  return (
    <search class="filters" aria-label={text.filters()}>
      <TextFilter name="text" label={text.search()} maxLength={MAX_TEXT} />
      <select
        aria-label={text.model()}
        value={model ?? ""}
        onChange={({ currentTarget }) => setFilter("model", currentTarget.value)}
      >
        <option value="">{text.allModels()}</option>
        {models.value.map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <select
        aria-label={text.status()}
        value={status ?? ""}
        onChange={({ currentTarget }) =>
          setFilter(
            "status",
            STATUSES.find((each) => each === currentTarget.value),
          )
        }
      >
        <option value="">{text.allStatuses()}</option>
        {STATUSES.map((each) => (
          <option key={each} value={each}>
            {statusText(each)}
          </option>
        ))}
      </select>
      <TextFilter name="tag" label={text.tag()} maxLength={MAX_TAG} />
      <button
        type="button"
        class="button"
        aria-pressed={tag === FAVORITE}
        onClick={() => setFilter("tag", tag === FAVORITE ? undefined : FAVORITE)}
      >
        <Icon name="star" filled={tag === FAVORITE} />
        {text.favorites()}
      </button>
      {Object.keys(filters.value).length > 0 && (
        <Button
          icon="cancel"
          onClick={() => {
            filters.value = {};
          }}
        >
          {text.clearFilters()}
        </Button>
      )}
    </search>
  );
}

interface TextFilterProps {
  readonly name: "text" | "tag";
  readonly label: string;
  readonly maxLength: number;
}

function TextFilter({ name, label, maxLength }: TextFilterProps) {
  const value: Filters["text"] = filters.value[name] ?? "";
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => setFilter(name, typed), TYPING_MS);
    return () => clearTimeout(timer);
  }, [name, typed, value]);
  return (
    <input
      type="search"
      aria-label={label}
      placeholder={label}
      maxLength={maxLength}
      value={typed}
      onInput={({ currentTarget }) => setTyped(currentTarget.value)}
    />
  );
}
