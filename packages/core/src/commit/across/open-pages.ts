/**
 * The open rows of a journal, page by page: as many as there may be, in the memory of two pages, since the next one is
 * asked for while somebody is at the one before.
 */
import type { Access } from '../../store/access.js';
import type { CommitCoordinator, OpenQuery, OpenUnit } from '../../store/commit.js';

/** Rows of a page at most. */
const PAGE = 2_000;

/** What is open by this query when its page is asked for. Throws what the coordinator throws. */
export async function* openPages(
  coordinator: CommitCoordinator,
  query: Omit<OpenQuery, 'limit' | 'after'>,
  access: Access,
): AsyncGenerator<readonly OpenUnit[], void, undefined> {
  let page = await coordinator.open({ ...query, limit: PAGE }, access);
  for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
    const next = coordinator.open({ ...query, limit: PAGE, after: last }, access);
    // It is waited for below, unless nobody wants it any more.
    next.catch(() => {});
    yield page;
    page = await next;
  }
}
