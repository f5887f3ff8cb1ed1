/** X/Y grids: one set of jobs over the values of two fields. */
export function CompareView() {
  return <section class="compare" />;
}
