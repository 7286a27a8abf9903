/** placeholder until the core lands */
export interface Busy {
  readonly iata: string;
  readonly name: string;
  readonly city: string | null;
  readonly departures: number;
  readonly meanDelay: number;
}
export interface DayOfDelay {
  readonly day: string;
  readonly meanDelay: number;
}
export interface Delays {
  readonly days: readonly DayOfDelay[];
  readonly worst: { readonly iata: string; readonly from: string; readonly meanDelay: number };
}
export interface Reach {
  readonly from: string;
  readonly direct: readonly string[];
  readonly stops: readonly { iata: string; name: string; adds: readonly string[] }[];
}
export interface Figures {
  airports: number;
  flights: number;
  routes: number;
  points: number;
  busiest: Busy[];
  twoHops: { from: string; direct: number; reachable: number };
  worstWeek: { iata: string; from: string; meanDelay: number };
}
