import { contract } from '../contract.ts'
import { field } from '../pages/field.ts'

contract(field)
