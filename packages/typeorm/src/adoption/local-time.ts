/**
 * `timestamp without time zone` as TypeORM and `pg` take it: the wall-clock time of the process. Storeweave's own
 * columns have a zone; these are read and written so that both mean the same instant by one row.
 */
import { type TextForm, timestampToMs } from '@storeweave/sql';

const two = (part: number): string => String(part).padStart(2, '0');

export const localTime: TextForm = {
  decode(text) {
    // 'YYYY-MM-DD hh:mm:ss[.f…]' of a year that Date takes as it is.
    if (text.length >= 19 && text.length <= 26 && text.charCodeAt(4) === 45 && text.charCodeAt(0) > 48) {
      const ms = text.length > 20 ? Number(text.slice(20, 23).padEnd(3, '0')) : 0;
      return new Date(
        Number(text.slice(0, 4)),
        Number(text.slice(5, 7)) - 1,
        Number(text.slice(8, 10)),
        Number(text.slice(11, 13)),
        Number(text.slice(14, 16)),
        Number(text.slice(17, 19)),
        ms,
      ).getTime();
    }
    if (text.endsWith('infinity')) return timestampToMs(text);
    // As if it were in UTC, for the parts of the date; then the same parts in the zone of the process.
    const utc = new Date(timestampToMs(text.endsWith(' BC') ? `${text.slice(0, -3)}+00 BC` : `${text}+00`));
    const local = new Date(2000, utc.getUTCMonth(), utc.getUTCDate(), utc.getUTCHours(), utc.getUTCMinutes());
    local.setFullYear(utc.getUTCFullYear(), utc.getUTCMonth(), utc.getUTCDate());
    local.setHours(utc.getUTCHours(), utc.getUTCMinutes(), utc.getUTCSeconds(), utc.getUTCMilliseconds());
    return local.getTime();
  },
  encode(value) {
    if (value === Number.POSITIVE_INFINITY) return 'infinity';
    if (value === Number.NEGATIVE_INFINITY) return '-infinity';
    const at = new Date(value as number);
    const year = at.getFullYear();
    const date = `${String(year > 0 ? year : 1 - year).padStart(4, '0')}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
    const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
    return year > 0 ? `${date}T${time}` : `${date}T${time} BC`;
  },
};
