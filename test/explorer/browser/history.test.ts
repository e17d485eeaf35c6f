import { contract } from '../contract.ts'
import { history } from '../pages/history.ts'

contract(history)
