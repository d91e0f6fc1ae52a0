"""Which service may call which route: this table, and nothing else. What is not in it is denied."""

from bazar.contracts import books, counter, purchasing
from bazar.contracts.call import Call
from bazar.contracts.names import CATALOG, FRONTEND, OPERATOR, ORDER

_FROM_FRONTEND = frozenset({FRONTEND})
_FROM_ORDER = frozenset({ORDER})
_FROM_OPERATOR = frozenset({OPERATOR})

GET_BOOK = Call(CATALOG, "GET", "/books/{item_number}", books.Empty, books.Book, _FROM_FRONTEND)
BOOKS_BY_SUBJECT = Call(CATALOG, "GET", "/books", books.SubjectQuery, books.BookPage, _FROM_FRONTEND)
SEARCH_BOOKS = Call(CATALOG, "GET", "/search", books.WordsQuery, books.FoundBooks, _FROM_FRONTEND)
NEWEST_BOOKS = Call(CATALOG, "GET", "/newest", books.NewestQuery, books.BookPage, _FROM_FRONTEND)
LOW_STOCK = Call(CATALOG, "GET", "/low-stock", books.LowStockQuery, books.BookPage, _FROM_FRONTEND)
BOOKS_BY_NUMBER = Call(CATALOG, "POST", "/books/by-number", books.NumbersQuery, books.BookPage, _FROM_FRONTEND)
SUGGEST = Call(CATALOG, "GET", "/suggestions", books.SuggestQuery, books.Suggestions, _FROM_FRONTEND)
SUBJECTS = Call(CATALOG, "GET", "/subjects", books.Empty, books.Subjects, _FROM_FRONTEND)
CHANGES = Call(CATALOG, "GET", "/changes", books.ChangesQuery, books.Changes, _FROM_FRONTEND)
ADD_BOOK = Call(CATALOG, "POST", "/books", books.AddBook, books.Book, _FROM_FRONTEND, repeatable=False)
CHANGE_BOOK = Call(
    CATALOG,
    "PATCH",
    "/books/{item_number}",
    books.ChangeBook,
    books.Book,
    _FROM_FRONTEND | _FROM_OPERATOR,
    repeatable=False,
)
WITHDRAW_BOOK = Call(
    CATALOG,
    "DELETE",
    "/books/{item_number}",
    books.WithdrawBook,
    books.Empty,
    _FROM_FRONTEND,
    repeatable=False,  # the second time the book is unknown
)
BOOK_HISTORY = Call(CATALOG, "GET", "/books/{item_number}/history", books.HistoryQuery, books.History, _FROM_FRONTEND)
JOURNAL = Call(CATALOG, "GET", "/journal", books.JournalQuery, books.Journal, _FROM_FRONTEND)
IMPORT_BOOKS = Call(
    CATALOG, "POST", "/imports", books.ImportBooks, books.ImportOutcome, _FROM_OPERATOR | _FROM_FRONTEND
)
PREVIEW_IMPORT = Call(CATALOG, "POST", "/imports/preview", books.ImportBooks, books.ImportPreview, _FROM_FRONTEND)
WITHDRAW_SOURCE = Call(
    CATALOG, "POST", "/imports/withdraw", books.WithdrawSource, books.SourceWithdrawn, _FROM_OPERATOR
)

HOLD = Call(CATALOG, "POST", "/holds", purchasing.HoldBatch, purchasing.HoldAnswers, _FROM_ORDER)
SETTLE = Call(CATALOG, "POST", "/holds/settle", purchasing.FinishBatch, purchasing.FinishAnswers, _FROM_ORDER)
RELEASE = Call(CATALOG, "POST", "/holds/release", purchasing.FinishBatch, purchasing.FinishAnswers, _FROM_ORDER)
RETURN = Call(CATALOG, "POST", "/holds/return", purchasing.FinishBatch, purchasing.FinishAnswers, _FROM_ORDER)
OPEN_HOLDS = Call(CATALOG, "GET", "/holds/open", purchasing.OpenHoldsQuery, purchasing.OpenHolds, _FROM_ORDER)
ALL_HOLDS = Call(CATALOG, "GET", "/holds", purchasing.KeptHoldsQuery, purchasing.KeptHolds, _FROM_ORDER)

PLACE_ORDERS = Call(ORDER, "POST", "/orders", purchasing.PlaceOrders, purchasing.PlacedOrders, _FROM_FRONTEND)
LIST_ORDERS = Call(ORDER, "GET", "/orders", purchasing.OrdersQuery, purchasing.Orders, _FROM_FRONTEND)
LIST_STUCK = Call(ORDER, "GET", "/orders/stuck", purchasing.StuckQuery, purchasing.StuckOrders, _FROM_FRONTEND)
GET_ORDER = Call(ORDER, "GET", "/orders/{order_id}", purchasing.OrderQuery, purchasing.Order, _FROM_FRONTEND)
ORDERS_AT_COUNTER = Call(
    ORDER, "GET", "/orders/at-counter", counter.CounterQuery, counter.CounterOrders, _FROM_FRONTEND
)
OPEN_ORDERS = Call(ORDER, "GET", "/orders/open", counter.OpenOrdersQuery, counter.CounterOrders, _FROM_FRONTEND)
ORDER_LIFE = Call(ORDER, "GET", "/orders/{order_id}/life", purchasing.OrderQuery, counter.OrderLife, _FROM_FRONTEND)
MOVE_ORDER = Call(ORDER, "POST", "/orders/{order_id}/move", counter.MoveOrder, counter.CounterOrder, _FROM_FRONTEND)
ORDER_JOURNAL = Call(ORDER, "GET", "/journal", counter.OrderJournalQuery, counter.OrderJournal, _FROM_FRONTEND)
FIGURES = Call(ORDER, "GET", "/figures", counter.FiguresQuery, counter.Figures, _FROM_FRONTEND)
BEST_SELLERS = Call(ORDER, "GET", "/best-sellers", purchasing.BestSellersQuery, purchasing.BestSellers, _FROM_FRONTEND)

CANCEL_ORDER = Call(
    ORDER, "POST", "/orders/{order_id}/cancel", purchasing.CancelOrder, purchasing.Order, _FROM_FRONTEND
)
SETTLE_ORDER = Call(
    ORDER, "POST", "/orders/{order_id}/settle", purchasing.SettleOrder, purchasing.SettledOrder, _FROM_FRONTEND
)

CALLS = tuple(value for value in list(globals().values()) if isinstance(value, Call))
