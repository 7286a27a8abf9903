/** placeholder until the core lands */
export interface Figures {
  airports: number;
  flights: number;
  routes: number;
  points: number;
  busiest: { iata: string; name: string; city: string | null; departures: number; meanDelay: number }[];
  twoHops: { from: string; direct: number; reachable: number };
  worstWeek: { iata: string; from: string; meanDelay: number };
}
