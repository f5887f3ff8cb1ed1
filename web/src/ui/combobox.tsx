import { useId, useState } from "preact/hooks";
import type { ControlAttributes } from "./field.tsx";

const MAX_SHOWN = 50;

interface ComboboxProps {
  readonly attributes: Partial<ControlAttributes>;
  /** The accessible name, unless a label names the control. */
  readonly label?: string | undefined;
  readonly options: readonly string[];
  /** The chosen value; undefined for a control that adds to a list and is empty after each choice. */
  readonly value?: string | undefined;
  readonly placeholder?: string | undefined;
  /** Whether a text is chosen that is not among the options when the control is left. */
  readonly takesText?: boolean;
  /** Called with the chosen option or any other text that the visitor has entered; empty if it was removed. */
  readonly onChoose: (value: string) => void;
}

/** A text field with the matching options below it. */
export function Combobox({
  attributes,
  label,
  options,
  value = "",
  placeholder,
  takesText = false,
  onChoose,
}: ComboboxProps) {
  const listId = useId();
  const [text, setText] = useState<string>();
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const shown = isOpen ? matching(options, text ?? "").slice(0, MAX_SHOWN) : [];
  const optionId = (index: number) => `${listId}-${index}`;

  const show = (index: number) => {
    setOpen(true);
    setActive(index);
    document.getElementById(optionId(index))?.scrollIntoView({ block: "nearest" });
  };
  const close = () => {
    setOpen(false);
    setActive(-1);
  };
  const choose = (chosen: string) => {
    close();
    setText(undefined);
    onChoose(chosen.trim());
  };
  const leave = () => {
    close();
    if (text !== undefined && (takesText || text === "" || options.includes(text))) choose(text);
    setText(undefined);
  };
  const actionOf = (key: string) => {
    if (key === "ArrowDown") return () => show(active + 1 < shown.length ? active + 1 : 0);
    if (key === "ArrowUp") return () => show(active > 0 ? active - 1 : shown.length - 1);
    if (key === "Enter") return () => choose(shown[active] ?? text ?? value);
    return key === "Escape" && isOpen ? close : undefined;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.ctrlKey || event.metaKey) {
      if (event.key === "Enter") leave(); // the form is submitted with what has been entered
      return;
    }
    const action = actionOf(event.key);
    if (action === undefined) return;
    event.preventDefault();
    action();
  };

  return (
    <div class="combobox">
      <input
        {...attributes}
        type="text"
        role="combobox"
        aria-label={label}
        aria-expanded={shown.length > 0}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={active >= 0 ? optionId(active) : undefined}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        placeholder={placeholder}
        value={text ?? value}
        onInput={(event) => {
          setText(event.currentTarget.value);
          show(-1);
        }}
        onClick={() => setOpen(true)}
        onKeyDown={onKeyDown}
        onBlur={leave}
      />
      <div id={listId} role="listbox" aria-label={label ?? placeholder} hidden={shown.length === 0}>
        {shown.map((option, index) => (
          <div
            key={option}
            id={optionId(index)}
            role="option"
            tabIndex={-1}
            aria-selected={index === active}
            onMouseDown={(event) => {
              event.preventDefault();
              choose(option);
            }}
          >
            {option}
          </div>
        ))}
      </div>
    </div>
  );
}

/** The options that contain all words of a text, those that begin with it first. */
function matching(options: readonly string[], text: string): readonly string[] {
  const wanted = text.toLowerCase();
  const words = wanted.split(/\s+/);
  const found = options.filter((each) => words.every((word) => each.toLowerCase().includes(word)));
  const begins = (each: string) => each.toLowerCase().startsWith(wanted);
  return [...found.filter(begins), ...found.filter((each) => !begins(each))];
}
