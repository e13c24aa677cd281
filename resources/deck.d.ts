// What the scripts of the pages say to each other, and what they find in the page. Read by TypeScript alone.

/** What a frame of the feed says (sessions/streams/frame.py): its numbers lie behind it. */
interface Header {
  start?: string;
  updates: Update[];
  values: Record<string, string>;
  tables?: Record<string, (string | Record<string, string>)[][]>;
  flags: Record<string, string | null>;
  state: string;
  error?: string;
  packet_id: number;
  sequence_number?: number;
  timestamp?: number;
  /** ms since the newest bin was due; the page itself tells this. */
  age?: number;
  /** ms from the page's clock to the server's; the page itself tells this, too. */
  offset?: number;
  intended?: number;
  behind_ms?: (number | null)[];
}

/** One change of one of Bokeh's models (plotters/frame.py). */
interface Update {
  op: "set" | "shift" | "replace";
  source?: string;
  model?: string;
  column: string;
  properties: Record<string, any>;
  values?: any[];
  dtype: string;
  shape: number[];
  offset: number;
}

/** One of Bokeh's models, whose types it has for itself. */
type Model = any;

/** A trial on the tape: its id, its first bin, and the one after its last. */
type Span = [id: number, first: number, end: number];

interface Window {
  Bokeh: any;
  deckStats: { frames: number; painted: number; ages: Float64Array };
  importShim: any;
}

declare const Bokeh: any;

interface DocumentEventMap {
  "deck:ask": CustomEvent<Record<string, any>>;
  "deck:connection": CustomEvent<{ state: string; reason?: string }>;
  "deck:frame": CustomEvent<Header>;
  "deck:notice": CustomEvent<Record<string, any>>;
}
