/** The five ready-made prompts. */

import type { IconName } from './bitmaps.ts';

export interface Preset {
  readonly name: string;
  /** The name's last word, for a narrow button. */
  readonly short: string;
  readonly icon: IconName;
  readonly prompt: string;
  readonly width: number;
  readonly height: number;
}

const SIZE_PX = 64;

const preset = (name: string, icon: IconName, prompt: string): Preset => ({
  name,
  short: name.replace(/^.* /, '').replace(/^./, (letter) => letter.toUpperCase()),
  icon,
  prompt,
  width: SIZE_PX,
  height: SIZE_PX,
});

export const PRESETS: readonly Preset[] = [
  preset(
    'Heroic knight',
    'knight',
    'heroic knight in polished plate armour, sword raised, red plume, facing the viewer',
  ),
  preset('Cyberpunk mage', 'mage', 'cyberpunk mage with a neon staff, hooded coat with glowing circuit lines'),
  preset('Pixel dragon', 'dragon', 'small pixel dragon, emerald scales, wings half open, breathing a puff of fire'),
  preset('Warrior', 'warrior', 'battle-worn warrior with a round shield and a broad axe, fur collar'),
  preset('Wizard', 'wizard', 'old wizard with a long white beard, pointed hat with stars, crooked wooden staff'),
];

/** Offered on the empty page. */
export const SAMPLE_PROMPT = 'a slime wearing a tiny golden crown';
