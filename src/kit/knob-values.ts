/** Knob values by name, as in a product's `knobs.yaml`. */
export type KnobValues = Readonly<Record<string, number | string | boolean>>;
