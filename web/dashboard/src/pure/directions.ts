/** The eight directions a sprite can face, in the order of a compass card. */

export interface Direction {
  readonly name: string;
  readonly label: string;
  /** Row and column on a 3×3 card, from 0. */
  readonly row: 0 | 1 | 2;
  readonly column: 0 | 1 | 2;
}

export const DIRECTIONS: readonly Direction[] = [
  { name: 'north-west', label: 'North-west', row: 0, column: 0 },
  { name: 'north', label: 'North', row: 0, column: 1 },
  { name: 'north-east', label: 'North-east', row: 0, column: 2 },
  { name: 'west', label: 'West', row: 1, column: 0 },
  { name: 'east', label: 'East', row: 1, column: 2 },
  { name: 'south-west', label: 'South-west', row: 2, column: 0 },
  { name: 'south', label: 'South', row: 2, column: 1 },
  { name: 'south-east', label: 'South-east', row: 2, column: 2 },
];

/** Towards the viewer: how a generated sprite faces unless it says otherwise. */
export const FACING_DEFAULT = 'south';
