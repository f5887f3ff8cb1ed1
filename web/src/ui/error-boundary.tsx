import { Component, type ComponentChildren } from "preact";
import { messages } from "../i18n/messages.ts";
import { Button } from "./button.tsx";
import { errorText } from "./error-text.ts";

const text = messages({
  again: { en: "Show it again", zh: "重新显示" },
  reload: { en: "Reload the page", zh: "重新加载页面" },
});

interface ErrorBoundaryState {
  readonly error: unknown;
}

/** Shows the error of a part of the page in its place; the rest of the page goes on. */
export class ErrorBoundary extends Component<{ readonly children: ComponentChildren }, ErrorBoundaryState> {
  override state: ErrorBoundaryState = { error: undefined };

  override componentDidCatch(error: unknown): void {
    this.setState({ error });
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <div class="failure" role="alert">
        <p>{errorText(this.state.error)}</p>
        <Button onClick={() => this.setState({ error: undefined })}>{text.again()}</Button>
        <Button onClick={() => location.reload()}>{text.reload()}</Button>
      </div>
    );
  }
}
